import { mkdirSync, symlinkSync, unlinkSync } from 'node:fs';
import t from 'tap';
import type { Problem } from '../../src/config/problem.js';
import { landlockSupport } from '../../src/os/landlock.js';
import { readSiteFile } from '../../src/site/read.js';
import type { Site } from '../../src/site/site.js';
import { type Instance, makeInstance, siteText } from './instance.js';

function read(instance: Instance, more: string): { site?: Site; problems: readonly Problem[] } {
  const file = instance.site('a.example.toml', siteText(instance, 'a.example', more));
  const reading = readSiteFile(instance.config(), file);
  return 'site' in reading ? { site: reading.site, problems: [] } : { problems: reading.parked.problems };
}

t.test('a site is confined unless its file says otherwise', async (t) => {
  const instance = makeInstance(t);
  const defaults = { confine: 'landlock', readable: [], writable: [], noNewPrivileges: false, nice: 0 };
  t.match(read(instance, '').site, { ...defaults, tmpMaxAgeMs: 86_400_000, tmpSizeBytes: 0 });
  const more = 'confine = "off"\nno_new_privs = true\nnice = -5\ntmp_max_age = 0\ntmp_size = "64M"\n';
  t.match(read(instance, more).site, {
    confine: 'off',
    noNewPrivileges: true,
    nice: -5,
    tmpMaxAgeMs: 0,
    tmpSizeBytes: 64 * 1024 ** 2,
  });
});

t.test('[defaults] holds for every site that says nothing', async (t) => {
  const instance = makeInstance(t, '[defaults]\nconfine = "off"\nreadable = ["/srv"]\n');
  t.match(read(instance, '').site, { confine: 'off', readable: ['/srv'] });
  t.match(read(instance, 'readable = ["/opt"]\n').site, { readable: ['/opt'] });
});

t.test('further paths must exist, and lead where root says', async (t) => {
  const instance = makeInstance(t);
  const missing = `${instance.directory}/missing`;
  t.match(read(instance, `readable = ["/usr", "${missing}"]\n`).problems, [
    {
      line: 5,
      message: `the path ${missing} cannot be opened to the site`,
      found: 'no such file or directory',
    },
  ]);
  t.match(read(instance, `writable = ["${missing}"]\n`).problems, [{ message: /cannot be opened/ }]);
  t.match(
    read(instance, `confine = "off"\nwritable = ["${missing}"]\n`).problems,
    [],
    'unless nothing is confined',
  );
  t.match(read(instance, 'readable = ["relative"]\n').problems, [{ message: /is not an absolute path/ }]);

  mkdirSync(`${instance.directory}/open`);
  symlinkSync('/var', `${instance.directory}/open/link`);
  t.match(
    read(instance, `readable = ["${instance.directory}/open/link"]\n`).site,
    {},
    'only root made this link',
  );
});

t.test('a root that goes through a link of somebody else', async (t) => {
  const instance = makeInstance(t);
  // The directory of the test belongs to root; /tmp, above it, is everybody's.
  symlinkSync('/var', `/tmp/guise-link-${process.pid}`);
  t.teardown(() => unlinkSync(`/tmp/guise-link-${process.pid}`));
  const file = instance.site(
    'a.example.toml',
    siteText(instance, 'a.example').replace(instance.root, `/tmp/guise-link-${process.pid}/lib`),
  );
  const reading = readSiteFile(instance.config(), file);
  t.match('parked' in reading && reading.parked.problems, [
    {
      line: 2,
      message: /symbolic link that others than root can change/,
      found: /which leads to \/var\/lib/,
    },
  ]);
});

t.test('require_confinement is not a problem where there is Landlock', async (t) => {
  t.ok(landlockSupport().abi > 0);
  const instance = makeInstance(t, '[security]\nrequire_confinement = true\n');
  t.match(read(instance, '').problems, []);
  t.equal(instance.config().requireConfinement, true);
  t.equal(makeInstance(t).config().requireConfinement, false);
});
