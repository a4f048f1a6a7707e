/**
 * What the router needs to know of a request before its body: found in one scan of the parameters, which makes no
 * strings. The values are decoded when they are asked for, since most serve only the log.
 *
 * The parameter block is kept as it was received and goes to the worker as it is, with one change: `blankKeys`
 * overwrites the site's key. The worker's library drops every GUISE_ parameter, and cleans and rewrites the rest.
 *
 * A parameter that is sent twice: the last one counts, as in PHP (an nginx configuration that includes fastcgi.conf and
 * then sets SCRIPT_FILENAME itself sends both), so that what is checked here is what runs there. GUISE_KEY and
 * GUISE_SITE say who a request belongs to: two different values are no value, and `conflict` names the parameter.
 *
 * Nothing here proves anything but the possession of the key: a tenant's .htaccess can set every other parameter.
 */
import { PairCursor } from '../fastcgi/pairs.js';
import { Field, fieldCount, matchField, matchRedirected, sameBytes } from './fields.js';

/** Why a parameter block was turned down. */
export type HeadFault = 'malformed-params' | 'too-many-params';

const GET = Buffer.from('GET');
const HEAD = Buffer.from('HEAD');
const noSpans = new Array<number>(fieldCount * 2).fill(-1);

export class Head {
  readonly requestId: number;
  /** The web server asks for the connection to stay open (FCGI_KEEP_CONN). */
  readonly keep: boolean;
  /** The name-value pairs as received: several PARAMS records, one block. */
  readonly params: Buffer;
  /** A parameter of identity came with two different values, and so counts as missing. */
  conflict: 'GUISE_KEY' | 'GUISE_SITE' | undefined = undefined;

  /** Start and end of each field's value in `params`; -1: not sent. */
  readonly #spans: number[] = noSpans.slice();
  /** Start and end of the value of every GUISE_KEY and of each of its REDIRECT_ copies. */
  readonly #keySpans: number[] = [];

  private constructor(requestId: number, keep: boolean, params: Buffer) {
    this.requestId = requestId;
    this.keep = keep;
    this.params = params;
  }

  /**
   * Scans a complete parameter block. The Head keeps the Buffer.
   * @param maxParams how many parameters are accepted
   */
  static scan(requestId: number, keep: boolean, params: Buffer, maxParams: number): Head | HeadFault {
    const head = new Head(requestId, keep, params);
    const cursor = new PairCursor(params);
    for (let count = 1; cursor.next(); count += 1) {
      if (count > maxParams) return 'too-many-params';
      const field = matchField(params, cursor.nameStart, cursor.nameEnd);
      if (field >= 0) head.#note(field, cursor.valueStart, cursor.valueEnd);
      else {
        const copied = matchRedirected(params, cursor.nameStart, cursor.nameEnd);
        if (copied === Field.GUISE_KEY) head.#keySpans.push(cursor.valueStart, cursor.valueEnd);
        if (copied === Field.GUISE_SITE)
          head.#note(Field.REDIRECT_GUISE_SITE, cursor.valueStart, cursor.valueEnd);
      }
    }
    return cursor.malformed ? 'malformed-params' : head;
  }

  /**
   * The site's key: a view of `params`, so it is gone after `blankKeys`. Undefined when it is missing, empty or
   * ambiguous.
   */
  get key(): Buffer | undefined {
    if (this.conflict === 'GUISE_KEY') return undefined;
    const start = this.#spans[Field.GUISE_KEY * 2] as number;
    const end = this.#spans[Field.GUISE_KEY * 2 + 1] as number;
    return start < end ? this.params.subarray(start, end) : undefined;
  }

  /** The site's name, if the web server's configuration gives one. After an internal redirect of Apache: its copy. */
  get site(): string | undefined {
    if (this.conflict === 'GUISE_SITE') return undefined;
    return this.#text(Field.GUISE_SITE) ?? this.#text(Field.REDIRECT_GUISE_SITE);
  }

  /** SERVER_NAME as it was sent: HAProxy adds the port. */
  get serverName(): string | undefined {
    return this.#text(Field.SERVER_NAME);
  }

  get method(): string | undefined {
    return this.#text(Field.REQUEST_METHOD);
  }

  /** REQUEST_URI: any bytes, for the log only. Bytes that are not UTF-8 become U+FFFD. */
  get uri(): string | undefined {
    return this.#text(Field.REQUEST_URI);
  }

  /** SCRIPT_FILENAME as it was sent, perhaps with Apache's `proxy:fcgi://…` before it. */
  get scriptFilename(): string | undefined {
    return this.#text(Field.SCRIPT_FILENAME);
  }

  get remoteAddr(): string | undefined {
    return this.#text(Field.REMOTE_ADDR);
  }

  get remoteUser(): string | undefined {
    return this.#text(Field.REMOTE_USER);
  }

  /**
   * CONTENT_LENGTH in bytes, or -1 when it says nothing: missing, empty, not a plain decimal number (Caddy sends -1),
   * or overruled by a Transfer-Encoding (RFC 9112, section 6.3). Too large to be exact: Number.MAX_SAFE_INTEGER.
   */
  get contentLength(): number {
    const start = this.#spans[Field.CONTENT_LENGTH * 2] as number;
    const end = this.#spans[Field.CONTENT_LENGTH * 2 + 1] as number;
    if (start >= end || (this.#spans[Field.HTTP_TRANSFER_ENCODING * 2] as number) >= 0) return -1;
    let length = 0;
    for (let at = start; at < end; at += 1) {
      const digit = (this.params[at] as number) - 0x30;
      if (digit < 0 || digit > 9) return -1;
      length = Math.min(length * 10 + digit, Number.MAX_SAFE_INTEGER);
    }
    return length;
  }

  /**
   * Whether no body can follow: a GET or HEAD that announces none, by neither CONTENT_LENGTH nor Transfer-Encoding
   * (RFC 9112, section 6.3).
   */
  get isBodiless(): boolean {
    const start = this.#spans[Field.CONTENT_LENGTH * 2] as number;
    const end = this.#spans[Field.CONTENT_LENGTH * 2 + 1] as number;
    if (start < end || (this.#spans[Field.HTTP_TRANSFER_ENCODING * 2] as number) >= 0) return false;
    return this.#isMethod(GET) || this.#isMethod(HEAD);
  }

  #isMethod(name: Buffer): boolean {
    const start = this.#spans[Field.REQUEST_METHOD * 2] as number;
    const end = this.#spans[Field.REQUEST_METHOD * 2 + 1] as number;
    return end - start === name.length && sameBytes(this.params, start, name, 0, name.length);
  }

  /**
   * Overwrites the value of every GUISE_KEY and of every REDIRECT_ copy with zero bytes, so that the key reaches
   * neither PHP nor the site's user, who could otherwise show it to a forger.
   */
  blankKeys(): void {
    const spans = this.#keySpans;
    for (let i = 0; i < spans.length; i += 2) this.params.fill(0, spans[i], spans[i + 1]);
    this.#spans[Field.GUISE_KEY * 2] = -1;
    this.#spans[Field.GUISE_KEY * 2 + 1] = -1;
  }

  #note(field: number, start: number, end: number): void {
    if (field === Field.GUISE_KEY) this.#keySpans.push(start, end);
    const before = this.#spans[field * 2] as number;
    if (before >= 0 && field <= Field.REDIRECT_GUISE_SITE) {
      const beforeEnd = this.#spans[field * 2 + 1] as number;
      const same =
        end - start === beforeEnd - before && sameBytes(this.params, before, this.params, start, end - start);
      if (!same && field === Field.GUISE_KEY) this.conflict ??= 'GUISE_KEY';
      else if (!same) this.conflict ??= 'GUISE_SITE';
    }
    this.#spans[field * 2] = start;
    this.#spans[field * 2 + 1] = end;
  }

  #text(field: number): string | undefined {
    const start = this.#spans[field * 2] as number;
    return start < 0 ? undefined : this.params.toString('utf8', start, this.#spans[field * 2 + 1]);
  }
}
