/** FastCGI programs that are not PHP, as the files of a site: one in Perl and one on node-fastcgi. */

import { cpSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { finish } from '../../src/quickstart/command.js';
import type { Site } from './guise.js';
import { peers } from './peer.js';

/** What both answer with, as JSON. */
export interface ProgramSeen {
  readonly pid: number;
  readonly uid: number;
  readonly gid: number;
  readonly groups: readonly number[];
  readonly umask: number;
  readonly cwd: string;
  readonly nice: number;
  readonly environment: Readonly<Record<string, string>>;
  readonly params: Readonly<Record<string, string>>;
  readonly body: string;
}

/** The path decides what it does besides: /wait?FILE until that is there, /words/TEXT to its standard error, /read?FILE, /die. */
const perl = `use strict; use warnings;
use FCGI; use POSIX ();
sub text { my $t = shift; $t =~ s/([\\x00-\\x1f"\\\\])/sprintf('\\\\u%04x', ord $1)/ge; "\\"$t\\"" }
sub object { my %h = @_; '{' . join(',', map { text($_) . ':' . text($h{$_} // '') } sort keys %h) . '}' }
my %started = %ENV;
my ($in, $out, $err, %params) = (\\*STDIN, \\*STDOUT, \\*STDERR);
my $request = FCGI::Request($in, $out, \\*MINE, \\%params);
while ($request->Accept() >= 0) {
  my $path = $params{PATH_INFO} // '';
  my $body = '';
  read($in, $body, $params{CONTENT_LENGTH}) if $params{CONTENT_LENGTH};
  if ($path eq '/wait') { select(undef, undef, undef, 0.05) until -e $params{QUERY_STRING} }
  POSIX::write(2, "$1\\n", length($1) + 1) if $path =~ m{^/words/(\\w+)};
  kill KILL => $$ if $path eq '/die';
  my $read = 'nothing';
  if ($path eq '/read') { $read = open(my $file, '<', $params{QUERY_STRING}) ? 'read' : "$!" }
  my ($gid, @groups) = split ' ', $);
  my $mask = umask;
  print "Content-Type: application/json\\r\\n\\r\\n{\\"pid\\":$$,\\"uid\\":$<,\\"gid\\":$gid,\\"groups\\":[",
    join(',', @groups), "],\\"umask\\":$mask,\\"nice\\":", getpriority(0, 0), ',"cwd":', text(POSIX::getcwd()), ',"read":', text($read),
    ',"environment":', object(%started), ',"params":', object(%params), ',"body":', text($body), "}";
}
`;

const node = `const { createServer } = require('node-fastcgi');
const { execFileSync } = require('node:child_process');
const { existsSync, readFileSync } = require('node:fs');
const { getPriority } = require('node:os');
createServer((request, response) => {
  const params = request.cgiParams;
  const path = params.PATH_INFO || '';
  const chunks = [];
  const words = /^\\/words\\/(\\w+)/.exec(path);
  if (words) console.error(words[1]);
  if (path === '/die') process.exit(3);
  let read = 'nothing';
  try { if (path === '/read') { readFileSync(params.QUERY_STRING); read = 'read'; } } catch (error) { read = error.code; }
  request.on('data', (chunk) => chunks.push(chunk));
  request.on('end', () => {
    const answer = () => {
      response.writeHead(200, { 'Content-Type': 'application/json' });
      response.end(JSON.stringify({
        pid: process.pid, uid: process.getuid(), gid: process.getgid(), groups: process.getgroups(),
        umask: process.umask(), nice: getPriority(), cwd: process.cwd(), read,
        environment: process.env, params, body: Buffer.concat(chunks).toString(),
      }));
    };
    const wait = () => { if (path !== '/wait' || existsSync(params.QUERY_STRING)) answer(); else setTimeout(wait, 50); };
    wait();
  });
}).listen({ fd: 0 });
`;

export const programFiles = { 'app.pl': perl, 'app.js': node } as const;

/** For `guise site add`. */
export const perlCommand =
  'command=["/usr/bin/env", "LD_LIBRARY_PATH=lib", "/usr/bin/perl", "-Ilib", "app.pl"]';
export const nodeCommand = `command=["${process.execPath}", "app.js"]`;

/** Puts what the programs need beside them: a site reaches neither the checkout nor unpacked packages. */
export async function installProgram(site: Site): Promise<void> {
  const modules = fileURLToPath(new URL('../../../node_modules', import.meta.url));
  for (const name of ['node-fastcgi', 'fastcgi-stream', 'bufferlist'])
    cpSync(`${modules}/${name}`, `${site.root}/node_modules/${name}`, { recursive: true });
  const libraries = readdirSync(`${peers}/usr/lib`).find((name) => name.endsWith('-linux-gnu')) ?? '';
  const lib = `${peers}/usr/lib/${libraries}`;
  const [version = ''] = readdirSync(`${lib}/perl5`);
  cpSync(`${lib}/perl5/${version}`, `${site.root}/lib`, { recursive: true });
  cpSync(`${lib}/libfcgi.so.0`, `${site.root}/lib/libfcgi.so.0`, { dereference: true });
  await finish('chown', ['-R', `${site.user.uid}:${site.user.gid}`, site.root]);
}
