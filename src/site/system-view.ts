/**
 * What the system says about users, programs and paths, asked once while many sites are read: thousands of sites
 * share one php-cgi, their parent directories, and often a user. A view is as old as its first answer, so it is made
 * for one reading and thrown away with it.
 */

import type { Finding } from '../config/problem.js';
import { type UserEntry, userByName } from '../os/identity.js';
import { type LandlockSupport, landlockSupport } from '../os/landlock.js';
import { checkPhpBinary } from './php-binary.js';
import { followWay, type Walker, type Way } from './way.js';

export class SystemView {
  readonly #users = new Map<string, UserEntry | undefined>();
  readonly #programs = new Map<string, Finding | undefined>();
  readonly #directories = new Set<string>();
  #landlock: LandlockSupport | undefined;
  /** The checks of one site ask for its root more than once. */
  #last: { readonly path: string; readonly walker: Walker; readonly way: Way } | undefined;

  /** @throws GuiseError SYSCALL_FAILED when the user database cannot be asked */
  user(name: string): UserEntry | undefined {
    return remembered(this.#users, name, () => userByName(name));
  }

  /** What keeps this program from being PHP for a site of that user. */
  php(file: string, siteUid: number): Finding | undefined {
    return remembered(this.#programs, `${siteUid}:${file}`, () => checkPhpBinary(file, siteUid));
  }

  landlock(): LandlockSupport {
    this.#landlock ??= landlockSupport();
    return this.#landlock;
  }

  /** Where a path leads. @throws what lstat(2) and its kin have to say */
  way(path: string, walker: Walker): Way {
    if (this.#last?.path === path && this.#last.walker === walker) return this.#last.way;
    const way = followWay(path, walker, this.#directories);
    this.#last = { path, walker, way };
    return way;
  }
}

function remembered<T>(answers: Map<string, T>, key: string, ask: () => T): T {
  const known = answers.get(key);
  if (known !== undefined || answers.has(key)) return known as T;
  const answer = ask();
  answers.set(key, answer);
  return answer;
}
