import { readFileSync } from 'node:fs';

import { containerSpec } from '../../../src/platform/sandbox/container-spec.js';
import { DockerSandbox } from '../../../src/platform/sandbox/docker-sandbox.js';
import type { ScriptType } from '../../../src/kernel/ports/sandbox.js';

const images = { python: 'p', javascript: 'j', bash: 'b', go: 'g' };
const spec = (scriptType: ScriptType, limits = { memory_mb: 256, cpus: 1, pids: 64 }, runtime?: string) =>
  containerSpec(
    { scriptType, limits, executionId: 'e1', attempt: 2 },
    { name: 'c', workerId: 'ns.w', uid: 123_456 },
    { images, seccompProfile: '{}', runtime },
    2,
  );

it('takes the language’s image; typescript runs in javascript’s', () => {
  const types = ['python', 'javascript', 'typescript', 'bash', 'go'] as const;
  expect(types.map((type) => spec(type).Image)).toEqual(['p', 'j', 'j', 'b', 'g']);
});

it('labels the container from its creation', () => {
  expect(spec('bash').Labels).toEqual({
    'voidrunner.managed': '1',
    'voidrunner.worker': 'ns.w',
    'voidrunner.execution': 'e1',
    'voidrunner.attempt': '2',
  });
});

it('gives the limits asked for, without swap, and never more CPUs than the engine has', () => {
  expect(spec('bash', { memory_mb: 100, cpus: 8, pids: 20 }).HostConfig).toMatchObject({
    Memory: 100 << 20,
    MemorySwap: 100 << 20,
    NanoCpus: 2e9,
    PidsLimit: 20,
  });
});

it('gives a language’s tools what they need', () => {
  expect(spec('go', { memory_mb: 16, cpus: 1, pids: 16 }).HostConfig).toMatchObject({
    Memory: 64 << 20,
    PidsLimit: 128,
    Tmpfs: { '/tmp': expect.stringContaining('size=192m') as string },
  });
});

it('names an OCI runtime only where one was asked for', () => {
  expect(spec('bash').HostConfig).not.toHaveProperty('Runtime');
  expect(spec('bash', undefined, 'crun').HostConfig).toMatchObject({ Runtime: 'crun' });
});

it('shares nothing of the host', () => {
  const { HostConfig, Env, NetworkDisabled } = spec('python');
  expect(NetworkDisabled).toBe(true);
  expect(Env).toEqual(['HOME=/tmp', 'LANG=C.UTF-8']);
  for (const key of ['Binds', 'Mounts', 'Devices', 'VolumesFrom', 'PidMode', 'NetworkMode', 'UsernsMode', 'CapAdd']) {
    expect(HostConfig).not.toHaveProperty(key);
  }
});

it('wants a worker id with a namespace, or a sweep could take a stranger’s containers', () => {
  const options = { endpoint: 'unix:///x', images, seccompProfile: '{}', outputBytesMax: 1, workerId: 'plain' };
  expect(() => new DockerSandbox(options)).toThrow('<namespace>.<id>');
});

describe('the seccomp profile', () => {
  const profile = JSON.parse(readFileSync('seccomp/runner.json', 'utf8')) as {
    defaultAction: string;
    syscalls: { names: string[]; action: string; errnoRet?: number; args?: { value: number }[] }[];
  };
  const allowed = profile.syscalls.filter(({ action }) => action === 'SCMP_ACT_ALLOW');

  it('is an allow-list that answers errnos', () => {
    expect(profile.defaultAction).toBe('SCMP_ACT_ERRNO');
    const actions = new Set(profile.syscalls.map(({ action }) => action));
    expect(actions).toEqual(new Set(['SCMP_ACT_ALLOW', 'SCMP_ACT_ERRNO']));
  });

  it('names nothing twice and nothing dangerous', () => {
    const names = allowed.flatMap((rule) => rule.names);
    expect(new Set(names).size).toBe(names.length);
    const dangerous = new Set([
      'socket',
      'clone3',
      'ptrace',
      'mount',
      'unshare',
      'setns',
      'bpf',
      'keyctl',
      'seccomp',
      'personality',
    ]);
    expect(names.filter((name) => dangerous.has(name) || name.startsWith('io_uring'))).toEqual([]);
  });

  it('lets clone make no namespace', () => {
    const rules = profile.syscalls.filter(({ names }) => names.includes('clone'));
    expect(rules).toHaveLength(1);
    // NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET
    const flags = [0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000];
    expect(rules[0]!.args![0]!.value).toBe(flags.reduce((sum, flag) => sum + flag));
  });
});
