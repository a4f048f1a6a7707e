/**
 * Reads Apache's configuration as Apache does, but runs nothing: includes, defined variables, and the conditions that
 * are known at the start (IfModule, IfDefine, IfFile). What it cannot follow, macros for instance, it says.
 *
 * Source: "Configuration Files" and core of the Apache 2.4 manual.
 */

import { existsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import {
  type ConfigTree,
  type Directive,
  expandPattern,
  filesWithin,
  mostDepth,
  mostFiles,
  readSource,
  type Unread,
} from './config-source.js';

export function readApache(file: string): ConfigTree {
  return new Reader(file).run();
}

interface Line {
  readonly text: string;
  readonly number: number;
}

/** Built in, so that no LoadModule names them. */
const builtIn = ['core', 'so', 'http', 'log_config', 'logio', 'version', 'unixd', 'watchdog'];

class Reader {
  readonly #start: string;
  readonly #variables: Map<string, string>;
  readonly #modules = new Set(builtIn.map((name) => `${name}_module`));
  readonly #files: string[] = [];
  readonly #unread: Unread[] = [];
  #root: string;

  constructor(file: string) {
    this.#start = file;
    this.#root = dirname(file);
    this.#variables = environment(`${this.#root}/envvars`);
  }

  run(): ConfigTree {
    const directives = this.#file(this.#start, 0, { file: this.#start, line: 1 });
    return { directives, files: this.#files, unread: this.#unread };
  }

  #file(file: string, depth: number, from: { file: string; line: number }): Directive[] {
    const full = depth > mostDepth || this.#files.length >= mostFiles;
    const source = full ? { why: 'too many files' } : readSource(file);
    if ('why' in source) {
      this.#unread.push({ ...from, why: `${file}: ${source.why}` });
      return [];
    }
    this.#files.push(file);
    return this.#block(new Lines(logicalLines(source.text)), file, depth, '');
  }

  /** Up to the end of the section `until`, or of the file. */
  #block(lines: Lines, file: string, depth: number, until: string): Directive[] {
    const found: Directive[] = [];
    for (let line = lines.next(); line !== undefined; line = lines.next()) {
      const close = /^<\/\s*([A-Za-z]+)\s*>/.exec(line.text)?.[1]?.toLowerCase();
      if (close === until && until !== '') return found;
      if (close !== undefined) continue;
      const open = /^<\s*([A-Za-z]+)(.*)$/s.exec(line.text);
      found.push(
        ...(open === null
          ? this.#plain(line, file, depth)
          : this.#section(lines, line, file, depth, open[1] ?? '', open[2] ?? '')),
      );
    }
    if (until !== '') this.#unread.push({ file, line: 1, why: `<${until}> has no end` });
    return found;
  }

  #section(lines: Lines, { number }: Line, file: string, depth: number, tag: string, rest: string) {
    const name = tag.toLowerCase();
    const args = words(this.#expand(rest.trim().replace(/>\s*$/, '')));
    const holds = this.#condition(name, args[0] ?? '', file);
    if (name === 'macro') this.#unread.push({ file, line: number, why: `the macro ${args[0] ?? ''}` });
    if (holds === false || name === 'macro') {
      lines.skip(name);
      return [];
    }
    const inside = this.#block(lines, file, depth, name);
    return holds === true ? inside : [{ name, args, file, line: number, inside }];
  }

  /** Whether a section of that name counts; undefined: it is no condition of the start. */
  #condition(name: string, arg: string, file: string): boolean | undefined {
    const isNegated = arg.startsWith('!');
    const what = isNegated ? arg.slice(1) : arg;
    switch (name) {
      case 'ifmodule':
        return this.#modules.has(moduleName(what)) !== isNegated;
      case 'ifdefine':
        return this.#variables.has(what) !== isNegated;
      case 'iffile':
        return existsSync(resolve(dirname(file), what)) !== isNegated;
      case 'ifversion':
        return true;
      default:
        return undefined;
    }
  }

  #plain(line: Line, file: string, depth: number): Directive[] {
    const [first = '', ...args] = words(this.#expand(line.text));
    const name = first.toLowerCase();
    const directive = { name, args, file, line: line.number };
    if (name === 'serverroot') this.#root = args[0] ?? this.#root;
    if (name === 'define') this.#variables.set(args[0] ?? '', args[1] ?? '');
    if (name === 'undefine') this.#variables.delete(args[0] ?? '');
    if (name === 'loadmodule') this.#modules.add((args[0] ?? '').toLowerCase());
    if (name === 'use') this.#unread.push({ file, line: line.number, why: `the macro ${args[0] ?? ''}` });
    if (name !== 'include' && name !== 'includeoptional') return [directive];
    const files = expandPattern(resolve(this.#root, args[0] ?? '')).flatMap((path) => filesWithin(path));
    return files
      .filter((path) => name === 'include' || existsSync(path))
      .flatMap((path) => this.#file(path, depth + 1, directive));
  }

  #expand(text: string): string {
    return text.replace(/\$\{([^}]+)\}/g, (whole, name: string) => this.#variables.get(name) ?? whole);
  }
}

class Lines {
  readonly #lines: readonly Line[];
  #at = 0;

  constructor(lines: readonly Line[]) {
    this.#lines = lines;
  }

  next(): Line | undefined {
    return this.#lines[this.#at++];
  }

  /** Behind the end of the section that was just opened. */
  skip(name: string): void {
    const open = new RegExp(`^<\\s*${name}\\b`, 'i');
    const close = new RegExp(`^</\\s*${name}\\s*>`, 'i');
    let depth = 1;
    for (let line = this.next(); line !== undefined && depth > 0; line = depth > 0 ? this.next() : line) {
      if (open.test(line.text)) depth++;
      else if (close.test(line.text)) depth--;
    }
  }
}

/** `mod_info.c` and `info_module` mean the same. */
function moduleName(text: string): string {
  const file = /^mod_(.+)\.c$/i.exec(text)?.[1];
  return (file === undefined ? text : `${file}_module`).toLowerCase();
}

/** Lines with their continuations, without comments and empty ones. */
export function logicalLines(text: string): Line[] {
  const found: Line[] = [];
  let pending = '';
  let start = 0;
  for (const [index, raw] of text.split('\n').entries()) {
    if (pending === '') start = index + 1;
    const line = raw.replace(/\r$/, '');
    if (line.endsWith('\\')) {
      pending += line.slice(0, -1);
      continue;
    }
    const whole = (pending + line).trim();
    pending = '';
    if (whole !== '' && !whole.startsWith('#')) found.push({ text: whole, number: start });
  }
  return found;
}

/** Words as Apache takes them: quoted ones may hold blanks, and `\"` and `\\` within. */
export function words(text: string): string[] {
  const found: string[] = [];
  for (const [, double, single, plain] of text.matchAll(/"((?:\\.|[^"\\])*)"|'((?:\\.|[^'\\])*)'|(\S+)/gs)) {
    found.push(plain ?? (double ?? single ?? '').replace(/\\(["'\\])/g, '$1'));
  }
  return found;
}

/** Debian starts Apache with what this file exports: read as lines `export NAME=VALUE`, with $SUFFIX empty. */
function environment(file: string): Map<string, string> {
  const source = readSource(file);
  const text = 'text' in source ? source.text : '';
  return new Map(
    [...text.matchAll(/^\s*export\s+([A-Z_]+)=(\S*)/gm)].map(([, name = '', value = '']) => [
      name,
      value.replace(/\$\{?SUFFIX\}?/g, ''),
    ]),
  );
}
