/** What the kernel gives to keep sites apart and to end them whole. */

import type { Check } from '../check.js';

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
  title: 'no control groups can be used to count and end processes',
  examine: ({ config, machine }) =>
    machine.cgroups().length > 0
      ? []
      : [
          {
            about: config.file,
            message:
              'there is no cgroup version 2 with the controller pids here: what a request started is found by its processes instead',
            found: 'none mounted with controllers, as in many containers',
            expected: '/sys/fs/cgroup of type cgroup2, and Delegate=yes in the unit',
            remedy: '',
          },
        ],
};
