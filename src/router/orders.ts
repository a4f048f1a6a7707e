/** What the master tells the router, carried out on the router's tables. */

import {
  listenerKind,
  noWorkerReason,
  type ProcessLook,
  type RouterDirectSite,
  type RouterKeys,
  type RouterOrder,
  type RouterSite,
  readOrder,
  readPayload,
  toRouter,
} from '../control/router-messages.js';
import { type RouterSites, unpackRows } from '../control/router-rows.js';
import { mapSharedMemory } from '../os/shared-memory.js';
import { close } from '../os/socket.js';
import type { Acceptor } from './acceptor.js';
import type { DirectSites } from './direct-sites.js';
import type { RefusalReason } from './refusals.js';
import { RoutedSite } from './routed-site.js';
import type { Server } from './serve.js';

export interface OrderTargets {
  readonly server: Server;
  readonly acceptor: Acceptor;
  readonly direct: DirectSites;
  /** The master asks for figures. */
  status(): void;
  /** What is known of a worker that has been asked about; on `stack` comes its PHP stack, taken over. */
  state(worker: number, look: ProcessLook, stack: number): void;
  /** A socket on which people ask about requests; taken over. */
  requests(fd: number): void;
  /** Where the log goes from now on; taken over. */
  log(fd: number): void;
  /** No more connections; end when the last request has. */
  drain(): void;
}

/** @param descriptor came with the order; -1 if none */
export function carryOut(targets: OrderTargets, bytes: Buffer, length: number, descriptor: number): void {
  const { server } = targets;
  const order = readOrder(bytes);
  const site = server.byId.get(order.site);
  switch (order.type) {
    case toRouter.site:
      openSite(server, new RoutedSite(order.site, readPayload(bytes, length) as RouterSite));
      break;
    case toRouter.sites:
      openSites(server, readPayload(bytes, length) as RouterSites);
      break;
    case toRouter.siteKeys:
      if (site !== undefined) rekeySite(server, site, readPayload(bytes, length) as RouterKeys);
      break;
    case toRouter.siteGone:
      siteGone(targets, order.site);
      break;
    case toRouter.listener:
      listenerArrived(targets, order, descriptor);
      break;
    case toRouter.worker:
      workerArrived(server, site, order, descriptor);
      break;
    case toRouter.workerGone:
      server.dispatcher.workerGone(order.worker);
      site?.pool.ended(order.worker);
      break;
    case toRouter.noWorker:
      if (site !== undefined) noWorker(server, site, order.a, order.b);
      break;
    case toRouter.ledger:
      server.ledger.connect(descriptor);
      break;
    case toRouter.status:
      targets.status();
      break;
    case toRouter.processState:
      targets.state(order.worker, readPayload(bytes, length) as ProcessLook, descriptor);
      break;
    case toRouter.log:
      targets.log(descriptor);
      break;
    case toRouter.drain:
      targets.drain();
      break;
    default:
      carryOutShared(targets, order, () => readPayload(bytes, length), descriptor);
  }
}

/** Of memory that workers write to: their slates, or the logbooks of those whose requests do not come here. */
function carryOutShared(
  { server, direct }: OrderTargets,
  order: RouterOrder,
  row: () => unknown,
  descriptor: number,
): void {
  switch (order.type) {
    case toRouter.slates:
      slatesArrived(server.byId.get(order.site), descriptor);
      break;
    case toRouter.directSite:
      directSite(server, direct, order.site, row() as RouterDirectSite, descriptor);
      break;
    case toRouter.directWorker:
      direct.arrived(order.site, order.worker, order.a, order.b);
      break;
    case toRouter.directWorkerGone:
      direct.gone(order.site, order.worker, order.a !== 0);
      break;
    default:
      shareRoom(server, order);
  }
}

/** It may have been routed until now, and its old form go before or after. */
function directSite(
  server: Server,
  direct: OrderTargets['direct'],
  id: number,
  row: RouterDirectSite,
  memory: number,
): void {
  direct.open(id, row, mapSharedMemory(memory));
  close(memory);
  const isRouted = [...server.byId.values()].some((site) => site.name === row.name && !site.isClosing);
  if (!isRouted) server.closeIdle(row.name);
}

/** What pool/sharing.ts has decided. */
function shareRoom({ byId, dispatcher, idle }: Server, { type, site: id, worker, a, b }: RouterOrder): void {
  if (type === toRouter.shortage) idle.give(a, b);
  const site = byId.get(id);
  if (site === undefined) return;
  if (type === toRouter.noRoom) dispatcher.noRoom(site, a, b === 1 ? 'need' : 'spare');
  else if (type === toRouter.room) dispatcher.room(site);
  else if (type === toRouter.yield) dispatcher.yield(site);
  else if (type === toRouter.weigh) dispatcher.weigh(site, worker);
  else if (type === toRouter.recycle) dispatcher.recycle(site, worker);
}

function listenerArrived(targets: OrderTargets, { site, a: kind }: RouterOrder, fd: number): void {
  if (kind === listenerKind.requests) targets.requests(fd);
  else targets.acceptor.add({ site, fd, isTcp: kind === listenerKind.tcp });
}

function workerArrived(
  { dispatcher }: Server,
  site: RoutedSite | undefined,
  { worker, a: uid, b: pid, c: slot }: RouterOrder,
  fd: number,
): void {
  if (site === undefined) {
    close(fd);
    return;
  }
  site.uid = uid;
  dispatcher.workerArrived(site, { id: worker, fd, pid, slate: site.slateAt(slot ?? 0) });
}

function slatesArrived(site: RoutedSite | undefined, fd: number): void {
  if (site !== undefined) site.slates = mapSharedMemory(fd);
  close(fd);
}

function openSites(server: Server, sites: RouterSites): void {
  for (const [id, row] of unpackRows(sites)) openSite(server, new RoutedSite(id, row));
}

function openSite(server: Server, site: RoutedSite): void {
  server.sites.add(site);
}

function siteGone({ server, acceptor, direct }: OrderTargets, id: number): void {
  acceptor.remove(id);
  direct.close(id);
  const site = server.byId.get(id);
  if (site === undefined) return;
  closeSite(server, site);
  if (direct.has(site.name)) server.closeIdle(site.name);
}

function rekeySite(server: Server, site: RoutedSite, { keyHashes }: RouterKeys): void {
  if (site.isClosing || site.config.isHidden) return;
  server.sites.close(site);
  site.keyHashes = keyHashes;
  server.sites.open(site);
}

function noWorker(server: Server, site: RoutedSite, count: number, reason: number): void {
  server.dispatcher.notGiven(site, count, refusalFor(reason));
  if (reason === noWorkerReason.autoRefused) server.forgetAutomatic(site);
}

/** An automatic site may have been asked for again by now: then it stays. */
function closeSite(server: Server, site: RoutedSite): void {
  if (site.auto !== undefined) {
    server.forgetAutomatic(site);
    return;
  }
  site.isClosing = true;
  server.sites.close(site);
  server.dispatcher.wantNotes(site);
  server.siteChanged(site);
}

function refusalFor(reason: number): RefusalReason {
  switch (reason) {
    case noWorkerReason.machineLimit:
      return 'machine-limit';
    case noWorkerReason.autoRefused:
      return 'auto-refused';
    case noWorkerReason.quarantined:
      return 'quarantined';
    case noWorkerReason.disabled:
      return 'disabled';
    case noWorkerReason.stopping:
      return 'stopping';
    case noWorkerReason.siteLimit:
      return 'queue-full';
    default:
      return 'start-failed';
  }
}
