/**
 * What Biome does not check: types at work (no promise left alone) and the walls between the folders.
 * The walls are written here once, as a table; test/structure/imports.test.ts proves the most important one for
 * indirect imports too.
 */
import tseslint from 'typescript-eslint';

/** Folders of src by what they may not import. `io` stands for every module that reads, writes, waits or logs. */
const io = ['node:*', '!node:buffer', '!node:crypto', 'pino'];
const addon = ['node-addon-api', '**/*.node', 'node:module'];
const walls = {
  fastcgi: {
    deny: [...io, 'node:crypto', '../*'],
    why: 'fastcgi/ turns bytes into records and back, nothing else',
  },
  pool: {
    deny: ['node:*', 'pino', '../os/*', '../router/*', '../master/*', '../fastcgi/*', '../request/*'],
    why: 'pool/ decides from what it is given: no clock, no files, no log',
  },
  request: {
    deny: ['../router/*', '../master/*', '../pool/*', 'pino'],
    why: 'request/ does not know who serves it',
  },
  site: { deny: ['../router/*', '../master/*', '../pool/*', '../fastcgi/*', 'pino'], why: 'site/ is data' },
  config: {
    deny: ['../router/*', '../master/*', '../pool/*', '../fastcgi/*', '../request/*', 'pino'],
    why: 'config/ is data',
  },
  control: {
    deny: ['../router/*', '../master/*', '../fastcgi/*', '../request/*'],
    why: 'control/ is what two processes say to each other, not what they do',
  },
  router: {
    deny: ['../master/*', '../cli/*', 'node:child_process'],
    why: 'the router starts nothing and knows no privilege',
  },
  ledger: {
    deny: ['../router/*', '../master/*', '../cli/*', '../fastcgi/*', '../request/*', 'node:child_process'],
    why: 'the ledger keeps books: it starts nothing and reads no request',
  },
  master: {
    deny: ['../fastcgi/*', '../request/*', '../router/*', '../cli/*', 'node:child_process'],
    why: 'the master is root: it never sees a byte of a request, and starts programs only through os/launch',
  },
  status: {
    deny: ['../router/*', '../master/*', '../cli/*', '../fastcgi/*', '../request/*', 'node:child_process'],
    why: 'the status application asks the control socket, and knows nothing else of the daemon',
  },
  os: { deny: ['../!(error.js)'], allowAddon: true, why: 'os/ is at the bottom' },
};

const patterns = ({ deny, why, allowAddon }) => [
  { group: deny, message: `${why}.` },
  ...(allowAddon ? [] : [{ group: addon, message: 'Only os/ talks to the addon.' }]),
];

export default tseslint.config(
  { ignores: ['build/', '.cache/', '.tap/', 'native/', 'eslint.config.js'] },
  ...tseslint.configs.strictTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
      // `const enum`-like objects of numbers and small closed tables are compared and indexed all the time.
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      // Callbacks that fit an interface need not use all of it, and need not wait for anything.
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      'max-lines-per-function': ['error', { max: 50, skipBlankLines: true, skipComments: true }],
      'max-lines': ['error', { max: 250, skipBlankLines: true, skipComments: true }],
      'no-restricted-imports': [
        'error',
        { patterns: [{ group: addon, message: 'Only os/ talks to the addon.' }] },
      ],
    },
  },
  ...Object.entries(walls).map(([folder, wall]) => ({
    files: [`src/${folder}/**/*.ts`],
    rules: { 'no-restricted-imports': ['error', { patterns: patterns(wall) }] },
  })),
  {
    // tap's subtests return promises that tap itself waits for, and a test is as long as its story.
    files: ['test/**/*.ts'],
    rules: {
      '@typescript-eslint/no-floating-promises': [
        'error',
        { allowForKnownSafeCalls: [{ from: 'package', name: 'test', package: '@tapjs/test' }] },
      ],
      'max-lines-per-function': 'off',
    },
  },
);
