/** What a long command is doing, on one line that is written over and taken away again; only on a terminal. */

export interface Progress {
  readonly progress: (words: string) => void;
  readonly done: () => void;
}

export function showProgress(stream: NodeJS.WriteStream = process.stderr): Progress {
  if (!stream.isTTY) return { progress: () => undefined, done: () => undefined };
  const width = (stream.columns || 80) - 1;
  return {
    progress: (words) => stream.write(`\r\x1b[K${words.slice(0, width)}`),
    done: () => stream.write('\r\x1b[K'),
  };
}
