/** What commands print for programs has the fields that the page names. */

import { readReference, rowsUnder } from '../config/reference.js';
import { journey } from '../harness/world.js';

const rows = rowsUnder(readReference('cli.md'), 'What `--json` prints');
const namesOf = (command: string): string[] => {
  const [, text = ''] = rows.find(([name]) => name === `\`guise ${command}\``) ?? [];
  return [...text.matchAll(/`(\w+)`/g)].map(([, name = '']) => name);
};

await journey(async (t, { guise }) => {
  await guise.addSite({ name: 'a.test', user: 'alice' });
  const fieldsOf = async (...words: string[]): Promise<string[]> => {
    const { stdout } = await guise.run(...words, '--json');
    return Object.keys(JSON.parse(stdout) as object);
  };
  const whole: Record<string, string[]> = {
    reopen: ['reopen'],
    requests: ['requests'],
    'web apache': ['web', 'apache', 'a.test'],
  };
  for (const [command, words] of Object.entries(whole))
    t.same(await fieldsOf(...words), namesOf(command), command);
  const some: Record<string, string[]> = {
    check: ['check'],
    doctor: ['doctor'],
    usage: ['usage'],
    explain: ['explain', 'http://a.test/index.php'],
  };
  for (const [command, words] of Object.entries(some)) {
    const names = namesOf(command);
    for (const field of await fieldsOf(...words)) t.ok(names.includes(field), `${command}: ${field}`);
  }
  t.match(await fieldsOf('status', 'a.test'), ['status', 'site']);
  for (const command of ['set', 'disable', 'enable', 'restart']) {
    const more = command === 'set' ? ['--set', 'max_workers=3'] : [];
    const fields = await fieldsOf('site', command, 'a.test', ...more);
    t.ok(fields.includes('name') && fields.includes('applied'), `site ${command}`);
  }
  t.same(await fieldsOf('site', 'remove', 'a.test'), namesOf('site remove'));
  t.same(await fieldsOf('stop'), namesOf('stop'));
});
