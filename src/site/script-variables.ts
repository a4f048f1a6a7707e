import type { Site } from './site.js';

/** What the script check must know of a site, in the environment that its processes start with: native/preload/site.c. */
export function scriptVariables(
  site: Pick<Site, 'name' | 'root' | 'suffixes' | 'trustedUids'>,
): Record<string, string> {
  return {
    GUISE_SITE: site.name,
    GUISE_ROOT: site.root,
    GUISE_SUFFIXES: site.suffixes.join(':'),
    GUISE_OWNERS: site.trustedUids.join(','),
  };
}
