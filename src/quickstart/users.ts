/** Unix users that exist only for a while: created when missing, and removed only if they were created here. */

import { GuiseError } from '../error.js';
import { finish, succeed } from './command.js';
import type { Undo } from './undo.js';

export interface NewUser {
  readonly name: string;
  /** Supplementary groups, created too when they are missing. */
  readonly groups: readonly string[];
  /** A system user has a uid below 1000. */
  readonly system: boolean;
}

/** What `useradd` and its kin answer while another one changes the same files. */
const busy = 10;
const attempts = 5;

/** Creates the user and its groups where they are missing; `undo` gets what takes that back. */
export async function ensureUser(user: NewUser, undo: Undo): Promise<void> {
  for (const group of user.groups) {
    if (await exists('group', group)) continue;
    await change('groupadd', [...(user.system ? ['--system'] : []), group]);
    undo.push(`remove the group ${group}`, () => change('groupdel', [group]));
  }
  if (await exists('passwd', user.name)) return;
  const groups = user.groups.length === 0 ? [] : ['--groups', user.groups.join(',')];
  const kind = user.system ? ['--system'] : ['--no-log-init'];
  const nowhere = ['--no-create-home', '--home-dir', '/nonexistent', '--shell', '/usr/sbin/nologin'];
  await change('useradd', [...kind, '--user-group', ...nowhere, ...groups, user.name]);
  undo.push(`remove the user ${user.name}`, () => change('userdel', [user.name]));
}

async function exists(database: 'passwd' | 'group', name: string): Promise<boolean> {
  return (await finish('getent', [database, name])).code === 0;
}

async function change(program: string, args: readonly string[]): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    const { code, stderr } = await finish(program, args);
    if (code === 0) return;
    // 1 and 10: /etc/passwd or /etc/group is locked or could not be written just now.
    if ((code !== busy && code !== 1) || attempt === attempts) {
      throw new GuiseError(
        'SETUP_FAILED',
        `${program} ${args.join(' ')}: exit code ${code}: ${stderr.trim()}`,
      );
    }
  }
}

/** uid and gid of a user that exists. */
export async function idsOf(name: string): Promise<{ uid: number; gid: number }> {
  const entry = (await succeed('getent', ['passwd', name])).split(':');
  return { uid: Number(entry[2]), gid: Number(entry[3]) };
}
