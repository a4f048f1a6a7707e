/** Authenticated visitors that run as users of their own; all others run as the site's user. */

import { writeFileSync } from 'node:fs';
import { apacheFor } from '../harness/apache.js';
import { writeAs } from '../harness/guise.js';
import { get } from '../harness/http.js';
import type { Whoami } from '../harness/php-pages.js';
import { journey } from '../harness/world.js';

/** As `htpasswd -nbm NAME NAME` prints them: each one's password is the name. */
const passwords = `carol:$apr1$aaaaaaaa$QlQ9IWgrOKKbFL2QB7w1c/
dave:$apr1$aaaaaaaa$v/GzAtEzAqluj7D7X0Acx0
`;

await journey(async (t, world) => {
  const { guise, users } = world;
  const site = await guise.addSite({ name: 'club.test', user: 'alice' });
  const carol = await users.get('carol');
  await guise.says('site', 'set', site.name, '--set', `visitors={ carol = "${carol.name}" }`);
  writeFileSync(`${world.directory}/passwords`, passwords);
  writeAs(
    site,
    '.htaccess',
    `<If "-n %{HTTP:Authorization}">
AuthType Basic
AuthName "members"
AuthUserFile ${world.directory}/passwords
Require valid-user
</If>
`,
  );
  const modules = ['auth_basic', 'authn_core', 'authn_file', 'authz_user'];
  const apache = await apacheFor(world, [site], { modules });
  const uidFor = async (visitor: string | undefined): Promise<number> => {
    const authorization = `Basic ${Buffer.from(`${visitor}:${visitor}`).toString('base64')}`;
    const reply = await get(
      apache.at(site),
      '/whoami.php',
      visitor === undefined ? {} : { headers: { authorization } },
    );
    t.equal(reply.status, 200, `${visitor ?? 'a stranger'} is let in`);
    return (reply.json() as Whoami).uid;
  };

  t.equal(await uidFor(undefined), site.user.uid, "a stranger runs as the site's user");
  t.equal(await uidFor('carol'), carol.uid, 'carol runs as carol');
  t.equal(await uidFor('dave'), site.user.uid, "somebody who is not listed runs as the site's user");

  await t.test('groups, directories and titles are those of the other user', async (t) => {
    const authorization = `Basic ${Buffer.from('carol:carol').toString('base64')}`;
    const reply = await get(apache.at(site), '/whoami.php', { headers: { authorization } });
    const seen = reply.json() as Whoami;
    t.same(
      [...seen.groups].sort((a, b) => a - b),
      carol.groups,
    );
    t.match(seen.tmp, `club.test+${carol.name}`);
    t.ok(guise.processesOf(carol).some(({ command }) => command === `guise: worker club.test+${carol.name}`));
  });

  await t.test('taken out of the list, carol is a visitor like others', async (t) => {
    await guise.says('site', 'set', site.name, '--unset', 'visitors');
    t.equal(await uidFor('carol'), site.user.uid);
  });
});
