import { constants } from 'node:os';

const names = new Map(Object.entries(constants.signals).map(([name, number]) => [number, name]));

/** `SIGKILL` for 9; `signal 40` for a number without a name: signal(7). */
export function signalName(number: number): string {
  return names.get(number) ?? `signal ${number}`;
}

/** How a process ended: `SIGSEGV`, or `exit code 255`. */
export function deathText(exitCode: number | null, signal: number | null): string {
  return signal === null ? `exit code ${exitCode}` : signalName(signal);
}
