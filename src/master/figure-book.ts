/**
 * What has been counted of each site, over all that may end in between: the router counts from 0 when it starts, and a
 * site that changes is a new one to it. Kept by name, so that no count ever goes back; lost is only what a router has
 * counted since it was last asked, when it dies.
 *
 * Privilege: root. Numbers from the router, and names from the master's own tables.
 */

import {
  addFigures,
  blankFigures,
  type Figures,
  isBlank,
  keepFigures,
  noFigures,
} from '../account/figures.js';
import { Lives } from './lives.js';

/** Names of sites that are not there any more and may come back: automatic ones. Further ones are only summed up. */
const mostUnused = 5000;

interface Name {
  /** Of all that is over under this name, if there was anything. */
  past: Figures | undefined;
  readonly lives: Lives;
  /** How many numbers stand for it at present. */
  numbers: number;
}

interface Row {
  readonly name: string;
  /** Whether it is the router that counts; else it is the site's lane in the master, which lives as long as the number. */
  readonly isRouted: boolean;
  /** As the present router says, or the lane. */
  last: Figures;
  /** The router has said all that it will say. */
  isTold: boolean;
  /** The master has forgotten the number. */
  isClosed: boolean;
}

export class FigureBook {
  readonly #names = new Map<string, Name>();
  /** Those of them that nothing stands for, the oldest first. */
  readonly #unused = new Set<string>();
  readonly #rows = new Map<number, Row>();
  /** Of requests that belong to no site: by earlier routers, and by the present one. */
  readonly #sitelessPast = noFigures();
  #siteless = noFigures();
  /** Of sites whose names are forgotten. */
  readonly #gone = noFigures();
  readonly #goneLives = new Lives();

  /** A number stands for a site from now on. Returns where the lives of its processes are counted. */
  open(id: number, name: string, isRouted: boolean): Lives {
    this.#rows.set(id, { name, isRouted, last: blankFigures, isTold: !isRouted, isClosed: false });
    const known = this.#names.get(name) ?? { past: undefined, lives: new Lives(), numbers: 0 };
    known.numbers++;
    this.#names.set(name, known);
    this.#unused.delete(name);
    return known.lives;
  }

  /** What a number has counted since it was opened, or since the router began. One that there is not is nobody's. */
  said(id: number, figures: Figures, isLast = false): void {
    if (id === 0) {
      this.#siteless = figures;
      return;
    }
    const row = this.#rows.get(id);
    if (row === undefined) return;
    row.last = isBlank(figures) ? blankFigures : figures;
    if (!isLast) return;
    row.isTold = true;
    this.#settle(id, row);
  }

  /** Its last process has ended. What the router has still to say of it is waited for. */
  close(id: number): void {
    const row = this.#rows.get(id);
    if (row === undefined) return;
    row.isClosed = true;
    if (row.isTold) this.#settle(id, row);
  }

  /** Nothing of this name is configured any more. */
  forget(name: string): void {
    const known = this.#names.get(name);
    if (known === undefined) return;
    this.#names.delete(name);
    this.#unused.delete(name);
    if (known.past !== undefined) keepFigures(this.#gone, known.past);
    this.#goneLives.add(known.lives);
  }

  /** What the present router has counted is over. `isOver`: whether the next one will not know a number. */
  routerDied(isOver: (id: number) => boolean): void {
    for (const [id, row] of this.#rows) {
      if (!row.isRouted) continue;
      row.isTold ||= isOver(id);
      this.#settle(id, row);
    }
    keepFigures(this.#sitelessPast, this.#siteless);
    this.#siteless = noFigures();
  }

  /** All that has been counted under the site's name; `isLatest`: its past goes with this number. */
  of(id: number, isLatest: boolean): Figures {
    const row = this.#rows.get(id);
    if (row === undefined) return noFigures();
    const sum = row.last.slice();
    const past = isLatest ? this.#names.get(row.name)?.past : undefined;
    if (past !== undefined) addFigures(sum, past);
    return sum;
  }

  get siteless(): Figures {
    const sum = this.#sitelessPast.slice();
    addFigures(sum, this.#siteless);
    return sum;
  }

  /** Of names that are not known any more. */
  get gone(): { readonly figures: Figures; readonly lives: Lives } {
    return { figures: this.#gone, lives: this.#goneLives };
  }

  #settle(id: number, row: Row): void {
    const known = this.#names.get(row.name);
    if (row.last !== blankFigures) keepFigures(this.#pastOf(known), row.last);
    row.last = blankFigures;
    if (!row.isClosed) return;
    this.#rows.delete(id);
    if (known === undefined || --known.numbers > 0) return;
    this.#unused.add(row.name);
    const [oldest] = this.#unused;
    if (oldest !== undefined && this.#unused.size > mostUnused) this.forget(oldest);
  }

  #pastOf(known: Name | undefined): Figures {
    if (known === undefined) return this.#gone;
    known.past ??= noFigures();
    return known.past;
  }
}
