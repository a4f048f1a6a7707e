/**
 * Reads nginx's configuration as nginx does, with its includes, and runs nothing.
 *
 * Source: "Configuration file's structure" in nginx's Beginner's Guide; ngx_conf_file.c for quotes and escapes.
 */

import { existsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import {
  type ConfigTree,
  type Directive,
  expandPattern,
  mostDepth,
  mostFiles,
  readSource,
  type Unread,
} from './config-source.js';

interface Token {
  /** A word, or one of `{`, `}` and `;`, which `mark` tells apart from the same in quotes. */
  readonly text: string;
  readonly mark: boolean;
  readonly line: number;
}

export function readNginx(file: string): ConfigTree {
  const files: string[] = [];
  const unread: Unread[] = [];
  // Includes are relative to the main file's directory, wherever they stand.
  const base = dirname(file);
  const read = (path: string, depth: number, from: { file: string; line: number }): Directive[] => {
    const source =
      depth > mostDepth || files.length >= mostFiles ? { why: 'too many files' } : readSource(path);
    if ('why' in source) {
      unread.push({ file: from.file, line: from.line, why: `${path}: ${source.why}` });
      return [];
    }
    files.push(path);
    const tokens = tokensOf(source.text);
    const found = block(tokens, path, depth);
    if (tokens.length > 0) unread.push({ file: path, line: tokens[0]?.line ?? 1, why: 'a } too many' });
    return found;
  };
  const block = (tokens: Token[], path: string, depth: number): Directive[] => {
    const found: Directive[] = [];
    let words: Token[] = [];
    for (let token = tokens.shift(); token !== undefined; token = tokens.shift()) {
      if (!token.mark) {
        words.push(token);
        continue;
      }
      if (token.text === '}') return found;
      const [first, ...rest] = words;
      const head = {
        name: (first?.text ?? '').toLowerCase(),
        args: rest.map(({ text }) => text),
        file: path,
        line: first?.line ?? token.line,
      };
      words = [];
      if (token.text === '{') found.push({ ...head, inside: block(tokens, path, depth + 1) });
      else if (head.name === 'include') found.push(...included(head, depth));
      else found.push(head);
    }
    return found;
  };
  const included = (directive: Directive, depth: number): Directive[] => {
    const pattern = resolve(base, directive.args[0] ?? '');
    const paths = /[*?[]/.test(pattern)
      ? expandPattern(pattern).filter((path) => existsSync(path))
      : [pattern];
    return paths.flatMap((path) => read(path, depth + 1, directive));
  };
  return { directives: read(file, 0, { file, line: 1 }), files, unread };
}

/** Words, quoted words, marks; comments left out. A `{` within a word belongs to it, as in `${name}`. */
function tokensOf(text: string): Token[] {
  const found: Token[] = [];
  let line = 1;
  const pattern = /(\s+)|(#[^\n]*)|("(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')|([{};])|((?:\\.|\$\{|[^\s{};])+)/gs;
  for (const [whole, , , quoted, mark, word] of text.matchAll(pattern)) {
    if (quoted !== undefined)
      found.push({ text: quoted.slice(1, -1).replace(/\\(["'\\])/g, '$1'), mark: false, line });
    else if (mark !== undefined) found.push({ text: mark, mark: true, line });
    else if (word !== undefined) found.push({ text: word, mark: false, line });
    line += whole.split('\n').length - 1;
  }
  return found;
}
