/**
 * What guise says beside its answers: the values it is asked for (GET_VALUES), the types it does not know, and the
 * refusal of a second request on a connection that is busy. The replies of one request are counted, so that a peer
 * that only asks and never reads cannot make us grow.
 */
import { ProtocolStatus, Variable } from '../fastcgi/constants.js';
import { encodeAnswer, encodeUnknownType, encodeValuesResult } from '../fastcgi/encode.js';
import { PairCursor } from '../fastcgi/pairs.js';
import type { Breach } from './result.js';

/** A question has room for some fifty names; the specification knows three. */
const MAX_QUESTION_BYTES = 1024;

// A bare END_REQUEST with CANT_MPX_CONN would be an empty page with status 200 to Apache, so a page goes before it.
const BUSY_PAGE = Buffer.from(
  'Status: 503 Service Unavailable\r\nContent-Type: text/plain\r\n\r\n' +
    'This FastCGI connection is serving another request; it takes one at a time.\n',
);

const nothing = Buffer.alloc(0);

export class Management {
  readonly #maxReplies: number;
  readonly #maxConnections: number;
  #count = 0;
  #replies: Buffer[] = [];
  #question = nothing;
  #asked = 0;

  /** @param maxConnections what FCGI_MAX_CONNS and FCGI_MAX_REQS say: with one request on each, they are equal */
  constructor(maxReplies: number, maxConnections: number) {
    this.#maxReplies = maxReplies;
    this.#maxConnections = maxConnections;
  }

  /** The bytes to send now, at a boundary between two records of any answer. Undefined when there are none. */
  take(): Buffer | undefined {
    if (this.#replies.length === 0) return undefined;
    const replies = this.#replies;
    this.#replies = [];
    return replies.length === 1 ? replies[0] : Buffer.concat(replies);
  }

  /** A new request: counting begins anew. */
  renew(): void {
    this.#count = 0;
  }

  /** A record of a type that is not known. A Breach, here and below: the peer has had its share of replies. */
  unknownType(type: number): Breach | undefined {
    return this.#reply(encodeUnknownType(type));
  }

  /** A request that was begun beside the running one is over at once, with a page that says why. */
  refuseSecond(requestId: number): Breach | undefined {
    return this.#reply(encodeAnswer(requestId, BUSY_PAGE, ProtocolStatus.CANT_MPX_CONN));
  }

  /** A GET_VALUES record begins. False when it is too long to be an honest one. */
  openQuestion(length: number): boolean {
    if (length > MAX_QUESTION_BYTES) return false;
    this.#question = Buffer.allocUnsafe(length);
    this.#asked = 0;
    return true;
  }

  addQuestion(chunk: Buffer, start: number, end: number): void {
    this.#asked += chunk.copy(this.#question, this.#asked, start, end);
  }

  /** Names that are not known are left out of the answer, as the specification says; a malformed rest too. */
  answerQuestion(): Breach | undefined {
    const cursor = new PairCursor(this.#question);
    const found = new Map<string, string>();
    while (cursor.next()) {
      const name = this.#question.toString('latin1', cursor.nameStart, cursor.nameEnd);
      const value = this.#valueOf(name);
      if (value !== undefined) found.set(name, value);
    }
    this.#question = nothing;
    return this.#reply(encodeValuesResult(found));
  }

  #valueOf(name: string): string | undefined {
    if (name === Variable.MPXS_CONNS) return '0';
    const isLimit = name === Variable.MAX_CONNS || name === Variable.MAX_REQS;
    return isLimit ? String(this.#maxConnections) : undefined;
  }

  #reply(reply: Buffer): Breach | undefined {
    if (this.#count >= this.#maxReplies) return 'flood';
    this.#count += 1;
    this.#replies.push(reply);
    return undefined;
  }
}
