import { diagnose, type EngineFindings, type SandboxFindings } from '../../../src/sandbox/diagnosis.js';
import { knownEscapes } from '../../../src/sandbox/known-escapes.js';

const engine: EngineFindings = {
  version: '28.2.2',
  runtime: 'runc',
  runtimeVersion: '1.3.3',
  runtimePath: 'runc',
  runtimesKnown: ['runc', 'crun', 'runsc'],
  cgroupVersion: '2',
  securityOptions: ['name=seccomp,profile=builtin', 'name=userns', 'name=cgroupns'],
  memoryBytes: 24 * 1024 ** 3,
  cpus: 2,
  limitsMissing: [],
};
const healthy: SandboxFindings = {
  engine,
  runtimes: [
    { runtime: 'python', image: 'p', keptReady: true, state: 'works' },
    { runtime: 'rust', image: 'r', keptReady: false, state: 'missing' },
  ],
  isolation: 'nested',
  chargesKernelMemory: true,
  preloads: [{ runtime: 'python', state: 'works' }],
  isNestingRequired: false,
  slots: 4,
  userSlotsMax: 3,
  poolSize: 2,
  memoryMbMax: 512,
};
const verdicts = (found: SandboxFindings) =>
  Object.fromEntries(
    diagnose(found)
      .filter(({ verdict }) => verdict !== 'ok')
      .map(({ check, verdict }) => [check, verdict]),
  );

it('reports nothing on a good host', () => {
  expect(verdicts(healthy)).toEqual({});
});

it.each<[string, Partial<EngineFindings>, object]>([
  ['an old runc', { runtimeVersion: '1.1.5+ds1' }, { runtime: 'advice' }],
  ['a runtime without a version', { runtime: 'runsc', runtimeVersion: null }, {}],
  ['another runtime of an old version', { runtime: 'crun', runtimeVersion: '1.0.0' }, {}],
  ['a runtime that the engine does not know', { runtime: 'youki', runtimeVersion: null }, { runtime: 'fault' }],
  ['no swap limit', { limitsMissing: ['swap'] }, { limits: 'advice' }],
  ['no memory limit', { limitsMissing: ['memory', 'swap'] }, { limits: 'fault' }],
  ['no seccomp', { securityOptions: ['name=userns'] }, { seccomp: 'fault' }],
  ['no userns-remap', { securityOptions: ['name=seccomp,profile=default'] }, { 'userns-remap': 'advice' }],
  ['a rootless engine', { securityOptions: ['name=seccomp,profile=default', 'name=rootless'] }, {}],
  ['little memory', { memoryBytes: 1024 ** 3 }, { pool: 'advice' }],
])('%s', (_, changes, expected) => {
  expect(verdicts({ ...healthy, engine: { ...engine, ...changes } })).toEqual(expected);
});

it.each<[string, Partial<SandboxFindings>, object]>([
  [
    'a missing image of a runtime that is kept ready',
    { runtimes: [...healthy.runtimes, { runtime: 'bash', image: 'b', keptReady: true, state: 'missing' }] },
    { runtimes: 'fault' },
  ],
  [
    'a smoke program that fails',
    { runtimes: [...healthy.runtimes, { runtime: 'c', image: 'c', keptReady: false, state: { failure: 'why' } }] },
    { runtimes: 'fault' },
  ],
  ['no nested namespaces', { isolation: 'plain' }, { isolation: 'advice' }],
  ['kernel memory that no cgroup is charged for', { chargesKernelMemory: false }, { kernel: 'advice' }],
  ['a host that does not report it', { chargesKernelMemory: null }, {}],
  [
    'a preloaded interpreter that does not start',
    { preloads: [{ runtime: 'python', state: 'failed' }] },
    { preload: 'advice' },
  ],
  ['no preloading', { preloads: [] }, {}],
  ['no cell at all', { isolation: { failure: 'why' } }, { isolation: 'fault' }],
])('%s', (_, changes, expected) => {
  expect(verdicts({ ...healthy, ...changes })).toEqual(expected);
});

it('gives advice and a reason for every fault', () => {
  const bad = diagnose({
    engine: { ...engine, runtimeVersion: '1.1.5', securityOptions: [], limitsMissing: ['pids'], memoryBytes: 1 },
    runtimes: [],
    isolation: { failure: 'the image p is missing' },
    chargesKernelMemory: false,
    preloads: [{ runtime: 'python', state: 'lost' }],
    isNestingRequired: false,
    slots: 1,
    userSlotsMax: 1,
    poolSize: 0,
    memoryMbMax: 512,
  }).filter(({ verdict }) => verdict !== 'ok');
  expect(bad).toHaveLength(10);
  for (const { advice } of bad) expect(advice).toBeTruthy();
  expect(bad.find(({ check }) => check === 'isolation')?.detail).toContain('the image p is missing');
});

it.each([
  ['1.1.5+ds1', 3],
  ['1.1.11', 3],
  ['1.1.12', 2],
  ['1.1.14', 1],
  ['1.2.7', 1],
  ['1.2.8', 0],
  ['1.3.2', 1],
  ['1.3.3', 0],
  ['1.4.0', 0],
  ['2.0.0', 0],
  ['unknown', 0],
])('runc %s has %d known escapes', (version, count) => {
  expect(knownEscapes('runc', version)).toHaveLength(count);
});

it('knows no escapes of another runtime or an unknown version', () => {
  expect(knownEscapes('crun', '1.1.5')).toEqual([]);
  expect(knownEscapes('runc', null)).toEqual([]);
});

const runtimeDetails = (changes: Partial<EngineFindings>) =>
  diagnose({ ...healthy, engine: { ...engine, ...changes } }).find(({ check }) => check === 'runtime');

it('names the unknown runtime, the known ones, and how to add one', () => {
  const found = runtimeDetails({ runtime: 'runsc', runtimeVersion: null, runtimesKnown: ['runc', 'crun'] });
  expect(found?.detail).toBe('the engine does not know runsc, only runc, crun');
  expect(found?.advice).toContain('--add-runtime runsc=');
});

it('names the path of a runtime without a version', () => {
  const found = runtimeDetails({ runtime: 'crun', runtimeVersion: null, runtimePath: '/usr/bin/crun' });
  expect(found?.detail).toBe('crun (/usr/bin/crun; the engine does not report its version)');
});

it.each([
  [['runc', 'crun', 'io.containerd.runc.v2'], ' to another runtime of this engine: crun'],
  [['runc'], ''],
])('an old runc: advises another runtime of %j', (runtimesKnown, words) => {
  const found = runtimeDetails({ runtimeVersion: '1.1.5', runtimesKnown });
  expect(found?.advice?.split('EXECUTOR_RUNTIME')[1]).toBe(words);
});

it.each([
  [1, 1, 'advice'],
  [4, 4, 'advice'],
  [4, 5, 'advice'],
  [4, 3, 'ok'],
])('a worker with %d slots and a user limit of %d: %s', (slots, userSlotsMax, verdict) => {
  const found = diagnose({ ...healthy, slots, userSlotsMax }).find(({ check }) => check === 'fairness');
  expect(found).toMatchObject({ verdict });
});

it('a host that refuses namespaces runs nothing, if they are required', () => {
  expect(verdicts({ ...healthy, isolation: 'plain' })).toEqual({ isolation: 'advice' });
  expect(verdicts({ ...healthy, isolation: 'plain', isNestingRequired: true })).toEqual({ isolation: 'fault' });
});
