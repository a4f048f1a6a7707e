import type { Logger } from 'pino';
import type { Poller } from '../os/poller.js';
import type { Site } from '../site/site.js';
import type { Housekeeper } from './housekeeper.js';
import type { Lane, LaneOwner } from './lane.js';
import type { SiteDirectories } from './layout.js';
import type { Lives } from './lives.js';
import type { Programs } from './program-process.js';
import type { SiteGroups } from './site-groups.js';
import type { WorkerBudget } from './worker-budget.js';

/** What a site needs of the rest of the master. */
export interface Surroundings {
  readonly poller: Poller;
  readonly log: Logger;
  /** The preload library that site users can read. */
  readonly library: string;
  readonly budget: WorkerBudget;
  /** Site directories, made if they are missing. */
  prepare(site: Site): SiteDirectories;
  /** Whether a site that asks for Landlock must not run without it. */
  requireConfinement(): boolean;
  readonly housekeeper: Housekeeper;
  /** Where the lives of a new site's processes are counted. */
  lives(id: number, site: Site): Lives;
  /** For sites that are not PHP. */
  readonly programs: Programs;
  readonly groups: Pick<SiteGroups, 'enter'>;
  /** This user's processes may be left to the master. */
  expectOrphans(uid: number): void;
  /** How the site's workers get their requests. */
  lane(owner: LaneOwner): Lane;
  /** A site has just been put into quarantine. */
  quarantined(id: number): void;
  nowMs(): number;
}
