/** What the kernel gives to keep sites apart and to end them whole. */

import { limitsNotHeld } from '../../site/group-outlook.js';
import type { Ailment, Check } from '../check.js';

export const landlock: Check = {
  id: 'landlock',
  severity: 'warning',
  title: 'the kernel cannot confine sites',
  examine: ({ config, registry, machine }) => {
    const open = registry.sites.filter(({ confine }) => confine === 'landlock');
    const { abi, reason } = machine.landlock();
    if (open.length === 0 || abi > 0) return [];
    return [
      {
        about: config.file,
        message: `there is no Landlock here, so file modes alone keep ${open.length} site(s) from reading the others`,
        found: reason ?? 'none',
        expected: 'Linux 5.13 or later with Landlock switched on',
        remedy:
          'cat /sys/kernel/security/lsm   # landlock must be among these: the option lsm= of the kernel',
      },
    ];
  },
};

export const landlockOld: Check = {
  id: 'landlock-old',
  severity: 'note',
  title: "the kernel's Landlock cannot keep signals and abstract sockets inside",
  examine: ({ config, registry, machine }) => {
    const { abi } = machine.landlock();
    if (abi === 0 || abi >= 6 || registry.sites.length === 0) return [];
    return [
      {
        about: config.file,
        message:
          'sites of one user can send each other signals, and every site can use abstract Unix sockets',
        found: `Landlock version ${abi}`,
        expected: 'version 6 (Linux 6.12)',
        remedy: '',
      },
    ];
  },
};

export const cgroup: Check = {
  id: 'cgroup',
  severity: 'note',
  title: 'sites have no control groups, or such as limit nothing',
  examine: ({ config, machine }) => {
    const { directory, controllers, reason, remedy } = machine.groups(config);
    if (controllers.length > 0) return [];
    return [
      {
        about: config.file,
        message:
          directory === undefined
            ? `what a site starts is found by its processes: ${reason}`
            : `what a site starts is ended by its group, and nothing limits it there: ${reason}`,
        found: directory ?? 'none',
        expected: "a group of the daemon's own with the controllers cpu, memory and pids",
        remedy,
      },
    ];
  },
};

export const siteGroup: Check = {
  id: 'site-group',
  severity: 'warning',
  title: 'a site has a limit that no control group can hold it to',
  examine: ({ config, registry, machine }) => {
    const outlook = machine.groups(config);
    return registry.sites.flatMap((site): Ailment[] => {
      const keys = limitsNotHeld(site, outlook);
      if (keys.length === 0) return [];
      const stays = keys.includes('memory_max')
        ? 'it does not run without its limit of memory'
        : 'it runs without';
      return [
        {
          about: site.file,
          message: `${keys.join(', ')} of ${site.name} cannot be held: ${stays}`,
          found: outlook.reason === '' ? `the controllers ${outlook.controllers.join(', ')}` : outlook.reason,
          expected: "a group of the daemon's own with the controllers cpu, memory and pids",
          remedy:
            outlook.remedy === ''
              ? `guise site set ${site.name} --unset ${keys.join(' --unset ')}`
              : outlook.remedy,
        },
      ];
    });
  },
};
