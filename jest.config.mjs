import { existsSync } from 'node:fs';

// Where `make setup` wrote the settings of this checkout's own services. What the environment says comes first.
if (existsSync('.voidrunner/dev.env')) process.loadEnvFile('.voidrunner/dev.env');

const shared = {
  extensionsToTreatAsEsm: ['.ts'],
  transform: { '^.+\\.ts$': '@swc/jest' },
  setupFiles: ['<rootDir>/test/support/jest-setup.mjs'],
  testEnvironment: '<rootDir>/test/runner/native-environment.cjs',
  runtime: '<rootDir>/test/runner/native-runtime.cjs',
  // Images and what is built hold packages of the same names.
  modulePathIgnorePatterns: [
    ...['.voidrunner', 'dist', 'packages/client/dist', 'test/clients/(node_modules|generated)'],
  ].map((path) => `<rootDir>/${path}`),
};

const project = (displayName, ...folders) => ({
  ...shared,
  displayName,
  testMatch: folders.map((folder) => `<rootDir>/test/${folder}/**/*.test.ts`),
});

/** With preloaded interpreters these tests run in `integration`; here with programs that start their own. */
const BOTH_WAYS = [
  'denials',
  'ends',
  'hostile',
  'languages',
  'memory-figures',
  'notes',
  'output',
  'python-output',
  'scripts',
  'stdin',
  'typescript',
  'view',
];

export default {
  projects: [
    project('unit', 'unit', 'architecture'),
    project('integration', 'contract', 'integration'),
    {
      ...project('without-preload'),
      testEnvironmentOptions: { env: { TEST_PRELOAD: 'off' } },
      testMatch: BOTH_WAYS.map((file) => `<rootDir>/test/integration/sandbox/${file}.test.ts`),
    },
    { ...project('e2e', 'e2e', 'faults'), globalSetup: '<rootDir>/test/support/build.ts' },
    project('clients', 'clients'),
  ],
  // Jest's own choice on two cores is a single process. Three take a tenth less time, and slow each other's tests down.
  maxWorkers: 2,
  // A worker keeps its modules and some of each test file's memory: past this it is replaced.
  workerIdleMemoryLimit: '1GB',
  // A bound for what hangs: each wait returns as soon as its thing holds, and a busy machine may be ten times slower.
  testTimeout: 180_000,
  coverageDirectory: 'coverage',
  coverageProvider: 'babel',
  collectCoverageFrom: [
    'src/**/*.ts',
    'packages/client/src/**/*.ts',
    '!src/main.ts',
    '!src/composition/telemetry.ts',
    '!src/composition/tracing.ts',
  ],
  coverageThreshold: { global: { lines: 80 } },
};
