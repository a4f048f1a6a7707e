/**
 * One guise instance of a test: sites, start, stop, what it says about itself, and the proof that nothing of it is
 * left. Everything goes through bin/guise and the control socket, as for an administrator.
 */

import { chownSync, mkdirSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import type { Test } from 'tap';
import type { SiteStatus, StatusReport } from '../../src/control/api.js';
import type { Finished, Service } from '../../src/quickstart/command.js';
import { guise, guiseSays, type Instance, layOut, startDaemon } from '../../src/quickstart/daemon.js';
import { listProcesses, type ProcessEntry } from '../../src/quickstart/processes.js';
import type { Undo } from '../../src/quickstart/undo.js';
import { until } from '../../src/quickstart/until.js';
import { type LogLine, readLog, readText } from './log.js';
import { pages } from './php-pages.js';
import { descriptors } from './proc.js';
import type { TestUser, TestUsers } from './users.js';

export interface Site {
  readonly name: string;
  readonly user: TestUser;
  readonly root: string;
}

export interface NewSite {
  readonly name: string;
  /** Label of the test user. */
  readonly user: string;
  /** Files beneath the document root beside the standard pages, by name. */
  readonly files?: Readonly<Record<string, string>>;
  /** Further arguments of `guise site add`, for instance `--mode`, `per-request`. */
  readonly args?: readonly string[];
}

/** Tables of guise.toml by name, each as the text of its keys. */
export type Toml = Readonly<Record<string, string>>;

export class Guise {
  readonly instance: Instance;
  readonly routerUser: TestUser;
  readonly #users: TestUsers;
  readonly #allowed: RegExp[] = [];
  #daemon: Service | undefined;

  private constructor(instance: Instance, routerUser: TestUser, users: TestUsers) {
    this.instance = instance;
    this.routerUser = routerUser;
    this.#users = users;
  }

  static async layOut(directory: string, users: TestUsers, undo: Undo, toml: Toml): Promise<Guise> {
    const routerUser = await users.get('router');
    // root may connect, so that tests can speak FastCGI themselves.
    const router = `user = "${routerUser.name}"\nweb_users = ["www-data", "root"]\n${toml.router ?? ''}`;
    const tables = Object.entries({ ...toml, router }).map(([name, keys]) => `[${name}]\n${keys}\n`);
    const guise = new Guise(layOut(directory, tables.join('\n')), routerUser, users);
    undo.push('stop guise', () => guise.stop());
    return guise;
  }

  /** Starts the daemon and waits until it answers. */
  async start(): Promise<void> {
    this.#daemon = await startDaemon(this.instance, `${this.instance.directory}/daemon.out`);
  }

  /** The daemon's process. */
  get pid(): number {
    if (this.#daemon === undefined) throw new Error('the daemon was not started');
    return this.#daemon.pid;
  }

  /** Undefined while it runs. */
  exit(): { code: number | null; signal: NodeJS.Signals | null } | undefined {
    return this.#daemon?.exit();
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    await this.#daemon?.stop(signal, 30_000);
  }

  /** Runs a guise command for this instance. */
  run(...args: string[]): Promise<Finished> {
    return guise(this.instance, args);
  }

  /** Runs a command that must succeed and answers with what it printed. */
  says(...args: string[]): Promise<string> {
    return guiseSays(this.instance, args);
  }

  /** Creates the document root with the standard pages and adds the site with `guise site add`. */
  async addSite(site: NewSite): Promise<Site> {
    const user = await this.#users.get(site.user);
    const home = `${this.instance.directory}/home/${site.name}`;
    const root = `${home}/www`;
    mkdirSync(root, { recursive: true, mode: 0o755 });
    for (const path of [home, root]) chownSync(path, user.uid, user.gid);
    const added: Site = { name: site.name, user, root };
    for (const [name, text] of Object.entries({ ...pages, ...site.files })) writeAs(added, name, text);
    const args = ['--user', user.name, '--root', root, ...(site.args ?? [])];
    await this.says('site', 'add', site.name, ...args);
    return added;
  }

  /** The site's secret, which only its file tells; undefined when it has none. */
  keyOf(name: string): string | undefined {
    return /^key = "([0-9a-f]+)"$/m.exec(readText(`${this.instance.sites}/${name}.toml`))?.[1];
  }

  /** The FastCGI socket that all sites share. */
  get socket(): string {
    return `${this.instance.run}/guise.sock`;
  }

  async status(): Promise<StatusReport> {
    return JSON.parse(await this.says('status', '--json')) as StatusReport;
  }

  async siteStatus(name: string): Promise<SiteStatus> {
    const site = (await this.status()).sites.find((entry) => entry.name === name);
    if (site === undefined) throw new Error(`guise status does not know ${name}`);
    return site;
  }

  async routerPid(): Promise<number> {
    return until(
      'a router that is alive',
      async () => (await this.status()).routers.find((r) => r.alive)?.pid,
    );
  }

  log(): LogLine[] {
    return readLog(`${this.instance.log}/guise.log`);
  }

  /** Lines of the log that match, waiting until there is one. */
  async logged(pattern: RegExp): Promise<LogLine[]> {
    return until(`a line in guise.log that matches ${String(pattern)}`, () => {
      const lines = this.log().filter((line) => pattern.test(JSON.stringify(line)));
      return lines.length === 0 ? undefined : lines;
    });
  }

  /** Says that the test provokes errors in the log that match. */
  allowErrors(...patterns: RegExp[]): void {
    this.#allowed.push(...patterns);
  }

  unexpectedErrors(): LogLine[] {
    return this.log().filter(
      (line) => line.level >= 50 && !this.#allowed.some((pattern) => pattern.test(JSON.stringify(line))),
    );
  }

  /** The end of what the daemon wrote, for a person who wonders why a test failed. */
  lastWords(): string[] {
    return ['daemon.out', 'log/guise.log'].flatMap((name) =>
      readText(`${this.instance.directory}/${name}`).split('\n').slice(-40),
    );
  }

  /** Processes that belong to this instance: by user, or because they name its directory. */
  processes(): ProcessEntry[] {
    const uids = this.#users.uids();
    const { directory } = this.instance;
    return listProcesses().filter(
      (entry) =>
        entry.pid !== process.pid &&
        (uids.has(entry.uid) || (entry.uid === 0 && entry.command.includes(`${directory}/guise.toml`))),
    );
  }

  /** Processes of the site's user. */
  processesOf(user: TestUser): ProcessEntry[] {
    return listProcesses().filter((entry) => entry.uid === user.uid);
  }

  /** Connections that the router still holds although nobody asks anything: none, once it has had time to see it. */
  async routerConnections(): Promise<number> {
    const report = await this.status();
    return report.routers.reduce((sum, router) => sum + (router.connections ?? 0), 0);
  }

  /** Stops the daemon, and fails `t` if a process, a socket, a temporary file or an unexpected error is left. */
  async leaveNothing(t: Test): Promise<void> {
    if (this.#daemon !== undefined && this.#daemon.exit() === undefined) {
      const connections = await until('the router to close its connections', async () => {
        const open = await this.routerConnections();
        return open === 0 ? { open } : undefined;
      });
      t.equal(connections.open, 0, 'no connection stays open');
      const zombies = this.processes().filter((entry) => entry.state === 'Z');
      t.same(zombies, [], 'no zombie');
      t.ok(descriptors(await this.routerPid()).length < 100, 'the router holds few descriptors');
    }
    await this.stop();
    t.same(this.processes(), [], 'no process is left');
    // What stays is written anew at each start: the library's copy, and settings that sites may not change.
    const left = filesBeneath(this.instance.run).filter((path) => !/\/(lib|php)\//.test(path));
    t.same(left, [], 'no socket is left');
    t.same(filesBeneath(`${this.instance.state}/spool`), [], 'and no temporary file');
    t.same(this.unexpectedErrors(), [], 'no unexpected error in the log');
  }
}

/** Writes a file that the site's user owns, below its document root; directories on the way are created. */
export function writeAs(site: Site, name: string, text: string | Buffer, mode = 0o644): void {
  const parts = name.split('/').slice(0, -1);
  let directory = site.root;
  for (const part of parts) {
    directory += `/${part}`;
    mkdirSync(directory, { recursive: true, mode: 0o755 });
    chownSync(directory, site.user.uid, site.user.gid);
  }
  const path = `${site.root}/${name}`;
  writeFileSync(path, text, { mode });
  chownSync(path, site.user.uid, site.user.gid);
  // PHP keeps no file in its opcache that was written within the last two seconds.
  const longAgo = new Date(Date.now() - 60_000);
  utimesSync(path, longAgo, longAgo);
}

function filesBeneath(directory: string): string[] {
  try {
    return readdirSync(directory, { recursive: true, withFileTypes: true })
      .filter((entry) => !entry.isDirectory())
      .map((entry) => `${entry.parentPath}/${entry.name}`);
  } catch {
    return [];
  }
}
