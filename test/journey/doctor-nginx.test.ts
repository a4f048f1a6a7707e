/** `guise doctor` beside a real nginx: silent on what guise prints; a wrong and a missing key are found and mended. */

import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import type { Diagnosis } from '../../src/doctor/examine.js';
import { until } from '../../src/quickstart/until.js';
import { get } from '../harness/http.js';
import { nginxFor } from '../harness/nginx.js';
import { shellFor } from '../harness/shell.js';
import { journey } from '../harness/world.js';

await journey(
  async (t, world) => {
    const { guise } = world;
    const shell = shellFor(world.directory, guise.instance.config);
    const wrong = await guise.addSite({ name: 'wrong.test', user: 'alice' });
    const nokey = await guise.addSite({ name: 'nokey.test', user: 'bob' });
    const nginx = await nginxFor(world, [wrong, nokey]);
    const conf = `${world.directory}/nginx-${nginx.port}/test.conf`;
    chmodSync(conf, 0o640);
    const doctor = async (): Promise<Diagnosis> => {
      const { stdout } = await guise.run('doctor', '--json', '--nginx', conf);
      const { found, ...more } = JSON.parse(stdout) as Diagnosis;
      return { ...more, found: found.filter(({ severity }) => severity !== 'note') };
    };
    t.match(await doctor(), { ok: true, found: [], sites: 2, web: [conf] });

    const keys = [guise.keyOf('wrong.test') ?? '', guise.keyOf('nokey.test') ?? ''] as const;
    const broken = readFileSync(conf, 'utf8')
      .replace(keys[0], keys[1])
      .replace(new RegExp(`.*GUISE_KEY +"${keys[1]}";\\n(?![\\s\\S]*GUISE_KEY)`), '');
    writeFileSync(conf, broken);
    const { found } = await doctor();
    t.same(found.map(({ id }) => id).sort(), ['vhost-key-missing', 'vhost-key-wrong']);
    process.kill(nginx.pid, 'SIGHUP');
    await until(
      'the wrong key to be refused',
      async () => (await get(nginx.at(wrong), '/whoami.php')).status === 403,
    );

    for (const { remedy } of found) t.match(await shell.run(remedy), { code: 0 }, remedy);
    t.match(await doctor(), { ok: true, found: [] });
    process.kill(nginx.pid, 'SIGHUP');
    for (const site of [wrong, nokey])
      await until(
        `${site.name} to answer`,
        async () => (await get(nginx.at(site), '/whoami.php')).status === 200,
      );
    t.match((await shell.run('guise web rekey gone.test')).code, 7);
    t.match(await guise.says('web', 'rekey', 'wrong.test', '--nginx', conf), /sends its key already/);
  },
  { router: 'max_connections = 64' },
);
