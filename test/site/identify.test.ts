import { createHash } from 'node:crypto';
import t from 'tap';
import { encodePairs } from '../../src/fastcgi/encode.js';
import { Head } from '../../src/request/head.js';
import { type Identifiable, SiteIndex } from '../../src/site/identify.js';

const key = (digit: string) => digit.repeat(64);

function site(name: string, keys: readonly string[], more: Partial<Identifiable> = {}): Identifiable {
  const keyHashes = keys.map((text) => createHash('sha256').update(text).digest('hex'));
  return { name, aliases: [], keyHashes, keyRequired: true, ...more };
}

function head(...pairs: [string, string][]): Head {
  const scanned = Head.scan(1, false, encodePairs(pairs), 100);
  if (typeof scanned === 'string') throw new Error(scanned);
  return scanned;
}

const a = site('a.test', [key('a'), key('1')], { aliases: ['www.a.test'] });
const b = site('b.test', [key('b')]);
const open = site('open.test', [], { keyRequired: false, aliases: ['www.open.test'] });
const guarded = site('guarded.test', [key('c')], { keyRequired: false });

function index(): SiteIndex<Identifiable> {
  const made = new SiteIndex<Identifiable>();
  for (const one of [a, b, open, guarded]) made.add(one);
  return made;
}

t.test('a key says which site is meant, whatever the names say', (t) => {
  const sites = index();
  const lies: [string, string][] = [
    ['SERVER_NAME', 'b.test'],
    ['GUISE_SITE', 'b.test'],
    ['HTTP_HOST', 'b.test'],
  ];
  for (const digit of ['a', '1']) {
    t.equal(sites.identify(head(['GUISE_KEY', key(digit)], ...lies), undefined, false), a);
  }
  t.equal(sites.identify(head(['GUISE_KEY', key('b')], ['SERVER_NAME', 'a.test']), undefined, true), b);
  t.end();
});

t.test('a wrong key is nobody’s, even where a name alone would do', (t) => {
  const sites = index();
  for (const wrong of [key('f'), key('a').slice(1), `${key('a')} `, key('a').toUpperCase(), 'x', '\0']) {
    const request = head(['GUISE_KEY', wrong], ['SERVER_NAME', 'open.test']);
    t.equal(sites.identify(request, undefined, false), 'wrong-key', JSON.stringify(wrong));
    t.equal(sites.identify(request, open, false), 'wrong-key');
  }
  t.end();
});

t.test('without a key', (t) => {
  const sites = index();
  const cases: [string, string, unknown][] = [
    ['SERVER_NAME', 'a.test', 'no-key'],
    ['SERVER_NAME', 'open.test', open],
    ['SERVER_NAME', 'OPEN.test', open],
    ['SERVER_NAME', 'www.open.test:8080', open],
    ['GUISE_SITE', 'Open.Test', open],
    ['REDIRECT_GUISE_SITE', 'open.test', open],
    ['SERVER_NAME', 'guarded.test', guarded],
    ['SERVER_NAME', 'nobody.test', 'no-site'],
    ['SERVER_NAME', '', 'no-site'],
    ['HTTP_HOST', 'open.test', 'no-site'],
    ['SERVER_NAME', '__proto__', 'no-site'],
  ];
  for (const [name, value, expected] of cases) {
    t.equal(sites.identify(head([name, value]), undefined, false), expected, `${name}=${value}`);
  }
  t.equal(sites.identify(head(), undefined, false), 'no-site');
  t.equal(
    sites.identify(head(['GUISE_SITE', 'a.test'], ['SERVER_NAME', 'open.test']), undefined, false),
    'no-key',
    'the name that the configuration gives comes first',
  );
  t.equal(sites.identify(head(['GUISE_KEY', ''], ['SERVER_NAME', 'a.test']), undefined, false), 'no-key');
  t.equal(
    sites.identify(
      head(['GUISE_KEY', key('a')], ['GUISE_KEY', key('b')], ['SERVER_NAME', 'a.test']),
      undefined,
      false,
    ),
    'no-key',
    'two keys are none',
  );
  t.end();
});

t.test('where nobody is taken at his word', (t) => {
  const sites = index();
  t.equal(sites.identify(head(['SERVER_NAME', 'open.test']), undefined, true), 'no-key');
  t.equal(sites.identify(head(['SERVER_NAME', 'nobody.test']), undefined, true), 'no-site');
  t.equal(sites.identify(head(['GUISE_KEY', key('c')]), undefined, true), guarded);
  t.end();
});

t.test('on a site’s own socket', (t) => {
  const sites = index();
  t.equal(sites.identify(head(['GUISE_KEY', key('a')]), a, false), a);
  t.equal(sites.identify(head(['GUISE_KEY', key('b')]), a, false), 'other-key');
  t.equal(sites.identify(head(['GUISE_KEY', key('b')]), open, false), 'other-key');
  t.equal(sites.identify(head(), a, false), 'no-key');
  t.equal(
    sites.identify(head(['SERVER_NAME', 'open.test']), a, false),
    'no-key',
    'the socket is stronger than a name',
  );
  t.equal(sites.identify(head(['SERVER_NAME', 'a.test']), open, false), open);
  t.end();
});

t.test('what has been taken out is gone, and what others have since is theirs', (t) => {
  const sites = index();
  const heir = site('heir.test', [key('a')], { aliases: ['www.a.test', 'a.test'], keyRequired: false });
  sites.add(heir);
  sites.remove(a);
  t.equal(sites.identify(head(['GUISE_KEY', key('a')]), undefined, false), heir);
  t.equal(sites.identify(head(['GUISE_KEY', key('1')]), undefined, false), 'wrong-key');
  t.equal(sites.identify(head(['SERVER_NAME', 'www.a.test']), undefined, false), heir);
  sites.remove(heir);
  sites.remove(b);
  t.equal(sites.identify(head(['GUISE_KEY', key('b')]), undefined, false), 'wrong-key');
  t.equal(sites.identify(head(['SERVER_NAME', 'a.test']), undefined, false), 'no-site');
  t.end();
});
