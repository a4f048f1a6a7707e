/**
 * Who comes in at the control socket. Decided from what the kernel says about the peer, before a byte of his is read;
 * whoever is turned away gets a refusal while there is room to say it, and else the end of the connection.
 */

import type { Socket } from 'node:net';
import { LineBudget } from '../account/line-budget.js';
import { GuiseError } from '../error.js';
import { Admission, priceOfChange } from './admission.js';
import { type Answer, refusal } from './answers.js';
import { descriptorOf, type Peer, peerOf } from './peer.js';
import { type Caller, isRoot, type RoleSources, roleOf } from './roles.js';

export type Entry = { readonly leave: () => void } & (
  | { readonly caller: Caller }
  | { readonly refused: Answer }
);

/** Anybody on the machine can be turned away as often as he likes. */
const linesPerSecond = 2;

export class Door {
  readonly #admission = new Admission();
  readonly #sources: RoleSources;
  readonly #onProblem: (problem: unknown) => void;
  readonly #nowMs: () => number;
  readonly #lines = new LineBudget(linesPerSecond);

  constructor(sources: RoleSources, onProblem: (problem: unknown) => void, nowMs: () => number) {
    this.#sources = sources;
    this.#onProblem = onProblem;
    this.#nowMs = nowMs;
  }

  /** Whether this caller can pay for a question that changes something; then he has. */
  mayChange({ role, uid }: Caller): boolean {
    return role !== 'owner' || this.#admission.pay(uid, priceOfChange, this.#nowMs());
  }

  /** Undefined: end the connection without a word. `leave` is to be called when it has ended. */
  enter(socket: Socket): Entry | undefined {
    const peer = peerOf(descriptorOf(socket));
    if (peer === undefined) return undefined;
    const admission = this.#admission;
    const nowMs = this.#nowMs();
    // First, for it is cheap: the databases of users and groups may be across the network.
    if (!isRoot(peer) && !admission.maySpeak(peer.uid, nowMs)) return this.#turnAway(peer, tooMany());
    const role = roleOf(peer, this.#sources);
    if (role === undefined) {
      admission.pay(peer.uid, 1, nowMs);
      return this.#stranger(peer);
    }
    return this.#comeIn({ role, uid: peer.uid }, peer, nowMs);
  }

  #comeIn(caller: Caller, peer: Peer, nowMs: number): Entry | undefined {
    const { role, uid } = caller;
    const leave = this.#admission.enter(role, uid);
    if (leave === undefined) return role === 'owner' ? this.#turnAway(peer, tooMany()) : undefined;
    if (role !== 'owner' || this.#admission.pay(uid, 1, nowMs)) return { caller, leave };
    leave();
    return this.#turnAway(peer, tooMany());
  }

  #stranger(peer: Peer): Entry | undefined {
    const suppressed = this.#lines.take(this.#nowMs());
    if (suppressed !== undefined) {
      const more = suppressed === 0 ? '' : `; ${suppressed} more before`;
      const found = `uid ${peer.uid} (pid ${peer.pid}) was turned away from the control socket${more}`;
      this.#onProblem(new GuiseError('NOT_PERMITTED', found));
    }
    const { group, owners } = this.#sources.config().control;
    const who = ['root', ...(group === undefined ? [] : [`members of the group ${group}`])];
    if (owners) who.push('users of sites');
    const remedy = group === undefined ? 'run this as root' : `usermod -aG ${group} USER`;
    return this.#turnAway(
      peer,
      refusal(403, 'NOT_PERMITTED', `only ${listed(who)} may speak to this daemon`, remedy),
    );
  }

  #turnAway(peer: Peer, refused: Answer): Entry | undefined {
    const leave = this.#admission.enter('turned away', peer.uid);
    return leave === undefined ? undefined : { refused, leave };
  }
}

export function tooMany(): Answer {
  return refusal(429, 'TOO_MANY', 'this user has asked too much in too short a time', 'wait some seconds');
}

function listed(words: readonly string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words.at(-1) ?? ''}`;
}
