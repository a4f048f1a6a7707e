/**
 * What each refusal means to the person who runs the server, and what mends it: the words of `guise explain` and of
 * docs/reference/refusals.md, which is tested against this table. Visitors never see any of it.
 *
 * Words in capitals in a remedy stand for what `fillIn` puts there: FILE, DIRECTORY, ROOT, SITE, USER, GROUP.
 */

import type { RefusalReason } from './refusals.js';

/** What the number that comes with a refusal is. */
export type FoundKind = 'errno' | 'uid' | 'mode';

export interface RefusalText {
  readonly meaning: string;
  readonly expected: string;
  /** A command or what to look at; empty where there is nothing to mend. */
  readonly remedy: string;
  readonly found?: FoundKind;
}

const moreWorkers = 'guise site set SITE --set max_workers=16';

export const refusalTexts: Readonly<Record<RefusalReason, RefusalText>> = {
  'unknown-role': {
    meaning: 'The web server asked for a FastCGI role other than RESPONDER.',
    expected: 'requests that want an answer, not an authorizer or a filter',
    remedy: 'take out what uses the socket for access control, for example AuthnzFcgiDefineProvider',
  },
  'malformed-params': {
    meaning: 'The parameters are not name-value pairs as FastCGI has them.',
    expected: 'a web server at the other end',
    remedy: 'see which program uses the socket: ss -xp',
  },
  'too-many-params': {
    meaning: 'The request has more than 1000 parameters.',
    expected: 'at most 1000 headers and variables together',
    remedy: 'limit what the web server passes on, for example LimitRequestFields',
  },
  'params-too-large': {
    meaning: 'Headers and variables together are larger than max_head under [router] allows.',
    expected: 'at most max_head',
    remedy: 'fewer or shorter headers and cookies; max_head can be "128K" at most',
  },
  'body-too-large': {
    meaning: "The body is larger than the site's max_body.",
    expected: 'at most max_body',
    remedy: 'guise site set SITE --set max_body=512M',
  },
  'body-cut-short': {
    meaning: 'The body ended before it had the length that was announced.',
    expected: 'as many bytes as CONTENT_LENGTH says',
    remedy: '',
  },
  'spool-full': {
    meaning:
      'There was no room for the body: memory or a quota is full, or the disk but for min_free of [router].',
    expected: 'room in the spool directory under the state directory',
    remedy: 'df -h /var/lib/guise/spool',
  },
  'spool-failed': {
    meaning: 'The body could not be stored in the spool directory.',
    expected: "a spool directory that is the router's own",
    remedy: 'restart guise, which sets its owner and mode; the log has the error',
  },
  'read-timeout': {
    meaning: 'No further byte of the request came within read_timeout.',
    expected: 'a request that keeps arriving',
    remedy: 'read_timeout = "120s" under [router] in guise.toml, then restart guise',
  },
  'no-key': {
    meaning: 'The request brought no key, and the site wants one; over TCP every site does.',
    expected: "GUISE_KEY with the site's key, set in a file that only root writes",
    remedy: 'put what this prints into the web server: guise web apache SITE',
  },
  'wrong-key': {
    meaning: 'The request brought a key that no site has: an old one, or an attempt.',
    expected: 'a key that a site accepts now',
    remedy: 'put what this prints into the web server: guise web apache SITE',
  },
  'other-key': {
    meaning: "The request came in on one site's own socket with another site's key.",
    expected: 'socket and key of the same site',
    remedy: 'put what this prints into the web server: guise web apache SITE',
  },
  'no-site': {
    meaning: 'No site has the name that the request is for, and no automatic site holds its script.',
    expected: 'the name or an alias of a site, or a script beneath a pattern of [auto]',
    remedy: 'guise site list',
  },
  'auto-refused': {
    meaning: 'The directory may not be a site by itself; the log has a line that says why.',
    expected:
      'a directory whose owner is above the floors, with no symbolic link and nobody else writing on the way',
    remedy: 'guise explain FILE',
  },
  'queue-full': {
    meaning: "All workers are busy, and as many requests wait as the site's queue_length allows.",
    expected: 'fewer than queue_length waiting requests',
    remedy: moreWorkers,
  },
  'queue-timeout': {
    meaning: 'The request waited queue_timeout for a worker, and none became free.',
    expected: 'a free worker within queue_timeout',
    remedy: moreWorkers,
  },
  'machine-limit': {
    meaning: 'All sites together have max_workers of [limits], or the memory that they may have.',
    expected: 'fewer workers over all sites, or smaller ones',
    remedy: 'max_workers and memory under [limits] in guise.toml, then guise reload',
  },
  'start-failed': {
    meaning: "The site's PHP cannot be started; status and log say at which step.",
    expected: 'a php-cgi that starts as the user of the site',
    remedy: 'guise status',
  },
  quarantined: {
    meaning:
      'The PHP or program of the site failed quarantine_after times in a row, so it is not started any more.',
    expected: 'one that starts, and does not crash before it has answered anything',
    remedy: 'see why: guise status SITE; when it is mended: guise site enable SITE',
  },
  disabled: {
    meaning: 'The site is switched off: enabled = false in its file.',
    expected: 'enabled = true, or nothing about it',
    remedy: 'guise site enable SITE',
  },
  stopping: {
    meaning: 'guise is stopping, or the site is being removed or changed.',
    expected: 'a running daemon',
    remedy: 'guise status',
  },
  'worker-died': {
    meaning: 'The process that ran the script ended before it had answered.',
    expected: 'a script that does not end PHP itself',
    remedy: "look at the end of the site's php.log, and at the log for the signal",
  },
  'time-limit': {
    meaning: "The script ran longer than the site's time_limit and was ended.",
    expected: 'an answer within time_limit',
    remedy: 'guise site set SITE --set time_limit=5m',
  },
  'visitor-left': {
    meaning:
      'The visitor left while the request waited for a worker, or while it ran and on_disconnect is "stop".',
    expected: '',
    remedy: '',
  },
  killed: {
    meaning: 'Somebody ended the request with guise kill.',
    expected: 'nobody to do that',
    remedy: '',
  },
  'script-not-named': {
    meaning: 'The web server did not say which script to run.',
    expected: 'SCRIPT_FILENAME with the absolute path of the script',
    remedy: 'put what this prints into the web server: guise web nginx SITE',
  },
  'script-bad-path': {
    meaning: 'The path is not absolute, is too long, or has ".." or control characters in it.',
    expected: 'an absolute path as the web server makes it from its document root',
    remedy: 'correct the document root in the web server: it must be absolute',
  },
  'script-not-found': {
    meaning: 'There is no such file.',
    expected: 'the script at this path',
    remedy: 'ls -ld FILE',
    found: 'errno',
  },
  'script-outside-root': {
    meaning: "The script's real path, with all symbolic links followed, is not beneath the site's root.",
    expected: 'a script beneath ROOT',
    remedy: 'guise site set SITE --set root=DIRECTORY',
  },
  'script-not-regular': {
    meaning: 'What the path leads to is no regular file: a directory, a FIFO, a device.',
    expected: 'a regular file',
    remedy: 'ls -ld FILE',
    found: 'mode',
  },
  'script-suffix': {
    meaning: "The file's own name, with all symbolic links followed, has none of the site's suffixes.",
    expected: 'a name that ends as `suffixes` of the site says, upper and lower case told apart',
    remedy:
      'let the web server serve it as a static file; if it is PHP: guise site set SITE --set suffixes=LIST',
  },
  'script-owner': {
    meaning: "The script belongs to neither the site's user nor one of its trusted_owners.",
    expected: 'owner USER',
    remedy: 'chown USER FILE',
    found: 'uid',
  },
  'script-writable': {
    meaning: "Others than its owner may write the script: everybody, or a group that is not the site's.",
    expected: 'no write permission for others',
    remedy: 'chmod go-w FILE',
    found: 'mode',
  },
  'script-setid': {
    meaning: 'The script has the setuid or the setgid bit, which no script needs.',
    expected: 'neither bit',
    remedy: 'chmod ug-s FILE',
    found: 'mode',
  },
  'script-unreadable': {
    meaning: "The site's user may not read the script, or may not enter a directory on the way to it.",
    expected: 'read permission for USER',
    remedy: 'chmod u+r FILE',
    found: 'errno',
  },
  'script-dir-owner': {
    meaning:
      "A directory between the root and the script belongs to somebody else than root, the site's user and its trusted_owners.",
    expected: 'owner USER or root',
    remedy: 'chown USER DIRECTORY',
    found: 'uid',
  },
  'script-dir-writable': {
    meaning:
      "Others than its owner may write a directory between the root and the script: everybody, or a group that is not the site's.",
    expected: 'no write permission for others',
    remedy: 'chmod go-w DIRECTORY',
    found: 'mode',
  },
  'script-no-root': {
    meaning: "The site's root is not there, or the site's user may not enter the way to it.",
    expected: 'the directory ROOT',
    remedy: 'install -d -o USER -g GROUP ROOT',
    found: 'errno',
  },
  'script-bad-params': {
    meaning: 'The parameters are malformed, or do not fit what PHP reads.',
    expected: 'name-value pairs of less than 64 KiB each',
    remedy: 'limit what the web server passes on, for example LimitRequestFieldSize',
  },
};

export type Placeholder = 'FILE' | 'DIRECTORY' | 'ROOT' | 'SITE' | 'USER' | 'GROUP';

/** Puts what is known in the place of the words in capitals; the others stay. */
export function fillIn(text: string, values: Readonly<Partial<Record<Placeholder, string>>>): string {
  return text.replace(
    /\b(FILE|DIRECTORY|ROOT|SITE|USER|GROUP)\b/g,
    (word) => values[word as Placeholder] ?? word,
  );
}
