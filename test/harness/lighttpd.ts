/** A private lighttpd in front of a test's sites. The binary is Debian's, unpacked by bin/setup and not installed. */

import { chownSync, mkdirSync, writeFileSync } from 'node:fs';
import { freePorts } from '../../src/quickstart/ports.js';
import { idsOf } from '../../src/quickstart/users.js';
import type { Site } from './guise.js';
import { peers, startWebServer, type WebServer } from './peer.js';
import type { World } from './world.js';

/** `printed`: what `guise web lighttpd SITE` prints. `broken`: a hand-written section with `broken-scriptfilename`. */
export type LighttpdForm = 'printed' | 'broken';

export async function lighttpdFor(
  world: World,
  sites: readonly Site[],
  form: LighttpdForm,
): Promise<WebServer> {
  const [port = 0] = await freePorts(1);
  const directory = `${world.directory}/lighttpd-${port}`;
  // It has dropped its privileges before it opens these.
  const { uid, gid } = await idsOf('www-data');
  for (const path of [directory, `${directory}/uploads`]) {
    mkdirSync(path);
    chownSync(path, uid, gid);
  }
  const hosts = [];
  for (const site of sites) {
    hosts.push(
      form === 'broken' ? await broken(world, site) : await world.guise.says('web', 'lighttpd', site.name),
    );
  }
  writeFileSync(
    `${directory}/lighttpd.conf`,
    `server.modules = ( "mod_fastcgi", "mod_setenv" )
server.bind = "127.0.0.1"
server.port = ${port}
server.username = "www-data"
server.groupname = "www-data"
server.document-root = "${directory}"
server.upload-dirs = ( "${directory}/uploads" )
server.errorlog = "${directory}/error.log"
index-file.names = ( "index.php" )
${hosts.join('\n')}
`,
  );
  const args = ['-D', '-f', `${directory}/lighttpd.conf`, '-m', `${peers}/usr/lib/lighttpd`];
  return startWebServer(world, {
    name: 'lighttpd',
    port,
    directory,
    file: `${peers}/usr/sbin/lighttpd`,
    args,
  });
}

async function broken(world: World, site: Site): Promise<string> {
  const key = world.guise.keyOf(site.name);
  return `$HTTP["host"] == "${site.name}" {
  server.name = "${site.name}"
  server.document-root = "${site.root}"
  setenv.add-environment = ( ${key === undefined ? '' : `"GUISE_KEY" => "${key}"`} )
  fastcgi.server = ( ".php" => (( "socket" => "${world.guise.socket}", "broken-scriptfilename" => "enable" )) )
}`;
}
