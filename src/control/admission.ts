/**
 * How much of the control socket one caller may have: connections at a time by role, and questions in a time for
 * those who are no administrators. So a tenant who floods the socket stands in his own way only: what administrators
 * and the status application may have is counted apart. Pure: the time is an argument.
 */

import type { Role } from './roles.js';

/** Connections at a time. `turned away` are those that get a refusal and are not listened to. */
export const mostConnections: Readonly<Record<Role | 'turned away', number>> = {
  admin: 64,
  status: 16,
  owner: 32,
  'turned away': 16,
};

/** Of one owner. */
export const mostOfOneOwner = 4;

/** Questions that an owner can ask at once, and how many more each second; a change counts for several. */
export const burst = 20;
const perSecond = 2;
export const priceOfChange = 5;

/** Accounts above this many are looked through for those that are full again, and so need not be kept. */
const mostAccounts = 1000;

interface Account {
  tokens: number;
  atMs: number;
}

export class Admission {
  readonly #open = new Map<string, number>();
  readonly #accounts = new Map<number, Account>();

  /** Takes a place; undefined: there is none. The answer gives it back, once. */
  enter(role: Role | 'turned away', uid: number): (() => void) | undefined {
    const places = [{ key: role as string, most: mostConnections[role] }];
    if (role === 'owner') places.push({ key: `owner ${uid}`, most: mostOfOneOwner });
    if (places.some(({ key, most }) => (this.#open.get(key) ?? 0) >= most)) return undefined;
    for (const { key } of places) this.#count(key, 1);
    let isIn = true;
    return () => {
      if (isIn) for (const { key } of places) this.#count(key, -1);
      isIn = false;
    };
  }

  /** Whether a user may ask anything now. Costs nothing. */
  maySpeak(uid: number, nowMs: number): boolean {
    return this.#balance(uid, nowMs).tokens >= 1;
  }

  /** Takes the price of a question from a user's account; false: he cannot pay, and nothing was taken. */
  pay(uid: number, price: number, nowMs: number): boolean {
    const account = this.#balance(uid, nowMs);
    if (account.tokens < price) return false;
    account.tokens -= price;
    if (this.#accounts.size >= mostAccounts) this.#forgetFull(nowMs);
    this.#accounts.set(uid, account);
    return true;
  }

  #count(key: string, by: number): void {
    const open = (this.#open.get(key) ?? 0) + by;
    if (open === 0) this.#open.delete(key);
    else this.#open.set(key, open);
  }

  #balance(uid: number, nowMs: number): Account {
    const account = this.#accounts.get(uid);
    if (account === undefined) return { tokens: burst, atMs: nowMs };
    account.tokens = Math.min(burst, account.tokens + ((nowMs - account.atMs) / 1000) * perSecond);
    account.atMs = nowMs;
    return account;
  }

  #forgetFull(nowMs: number): void {
    for (const uid of this.#accounts.keys())
      if (this.#balance(uid, nowMs).tokens >= burst) this.#accounts.delete(uid);
  }
}
