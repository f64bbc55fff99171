import { readFileSync } from 'node:fs';

import { type Isolation, isSameKind, kindFor } from '../../../src/sandbox/cell-kind.js';
import { containerSpec } from '../../../src/sandbox/container-spec.js';
import { DockerSandbox } from '../../../src/sandbox/docker-sandbox.js';
import { declaredRuntimes, runtimeOf, type ScriptType } from '../../support/declared-runtimes.js';

/** As if each image had its name as its digest. */
const kind = (type: ScriptType, limits = usual, isolation: Isolation = 'nested') =>
  kindFor(runtimeOf(type), runtimeOf(type).image, limits, { isolation, cpus: 2 });
const OWNER = { name: 'c', workerId: 'ns.w', uid: 123_456 };
const usual = { memory_mb: 256, cpus: 1, pids: 64 };
const spec = (scriptType: ScriptType, limits = usual, runtime?: string, isolation: Isolation = 'nested') =>
  containerSpec(kind(scriptType, limits, isolation), OWNER, { seccompProfile: '{}', runtime });

it('uses the image of the kind', () => {
  expect(spec('python').Image).toBe('voidrunner/python:latest');
  expect(spec('typescript').Image).toBe('voidrunner/javascript:latest');
});

it('labels the container from its creation', () => {
  expect(spec('bash').Labels).toEqual({ 'voidrunner.managed': '1', 'voidrunner.worker': 'ns.w' });
});

it('starts only the launcher, whatever the image starts', () => {
  expect(spec('go')).toMatchObject({ Entrypoint: ['/usr/local/lib/voidrunner/launcher'], Cmd: [], OpenStdin: true });
});

it('sets the requested limits, without swap, with memory for the launcher, and with at most the engine’s CPUs', () => {
  expect(spec('bash', { memory_mb: 100, cpus: 8, pids: 20 }).HostConfig).toMatchObject({
    Memory: 100 << 20,
    MemorySwap: 100 << 20,
    NanoCpus: 2e9,
    PidsLimit: 22,
    ShmSize: 100 << 20,
  });
});

it('raises no limit, in any language', () => {
  expect(spec('go', { memory_mb: 16, cpus: 1, pids: 16 }).HostConfig).toMatchObject({
    Memory: 16 << 20,
    PidsLimit: 18,
    Tmpfs: {
      '/tmp': expect.stringContaining('size=192m') as string,
      '/dev/pts': expect.stringContaining('ro,') as string,
    },
  });
});

it('has no init beside the launcher if jobs are not nested', () => {
  expect(spec('bash', usual, undefined, 'plain').HostConfig).toMatchObject({ PidsLimit: 65 });
});

it('starts an interpreter ahead, with its own memory, if the settings say so, the kind has one and room for it', () => {
  const preloading = (type: ScriptType, memoryMb: number, isolation: Isolation = 'nested') => {
    const asked = kind(type, { ...usual, memory_mb: memoryMb }, isolation);
    const { Cmd, HostConfig } = containerSpec(asked, OWNER, { seccompProfile: '{}', preload: true });
    return [Cmd?.[0], (HostConfig?.Memory ?? 0) >> 20, HostConfig?.PidsLimit];
  };
  expect(preloading('python', 16)).toEqual(['/usr/bin/python3', 19, 67]);
  expect(preloading('typescript', 128)).toEqual(['/usr/bin/env', 148, 69]);
  expect(preloading('typescript', 127)).toEqual([undefined, 127, 66]);
  expect(preloading('bash', 256)).toEqual([undefined, 256, 66]);
  expect(preloading('python', 256, 'plain')).toEqual([undefined, 256, 65]);
  expect(spec('python')).toMatchObject({ Cmd: [], HostConfig: { PidsLimit: 66 } });
});

it('names an OCI runtime only if one is configured', () => {
  expect(spec('bash').HostConfig).not.toHaveProperty('Runtime');
  expect(spec('bash', undefined, 'crun').HostConfig).toMatchObject({ Runtime: 'crun' });
});

it('removes Docker’s masks only if the launcher hides more', () => {
  expect(spec('bash').HostConfig).toMatchObject({ MaskedPaths: [], ReadonlyPaths: [] });
  const plain = spec('bash', usual, undefined, 'plain').HostConfig;
  for (const key of ['MaskedPaths', 'ReadonlyPaths']) expect(plain).not.toHaveProperty(key);
});

it('limits TCP buffers to the same numbers, whoever creates the network namespace', () => {
  const bounds = /bounds\[\] = "([\d ]+)\\n"/.exec(readFileSync('infra/launcher/view.c', 'utf8'))![1];
  expect(spec('bash', usual, undefined, 'plain').HostConfig!.Sysctls).toEqual({
    'net.ipv4.tcp_rmem': bounds,
    'net.ipv4.tcp_wmem': bounds,
  });
  // With the launcher's own namespace there is one per job.
  expect(spec('bash').HostConfig).not.toHaveProperty('Sysctls');
});

describe('kinds of cells', () => {
  it('are the same for javascript and typescript, and for equivalent limits', () => {
    expect(isSameKind(kind('javascript'), kind('typescript'))).toBe(true);
    expect(isSameKind(kind('go', { ...usual, pids: 32 }), kind('go', { ...usual, pids: 128 }))).toBe(false);
    expect(isSameKind(kind('bash', { ...usual, cpus: 2 }), kind('bash', { ...usual, cpus: 64 }))).toBe(true);
  });

  it.each([
    ['image', { ...kind('bash'), image: 'another' }],
    ['preloaded interpreter', { ...kind('bash'), preload: kind('python').preload }],
    ['memory', kind('bash', { ...usual, memory_mb: 257 })],
    ['CPUs', kind('bash', { ...usual, cpus: 0.5 })],
    ['processes', kind('bash', { ...usual, pids: 65 })],
    ['isolation', kind('bash', usual, 'plain')],
  ])('differ by %s', (_, other) => {
    expect(isSameKind(kind('bash'), other)).toBe(false);
  });
});

it('shares nothing with the host', () => {
  const { HostConfig, Env, NetworkDisabled } = spec('python');
  expect(NetworkDisabled).toBe(true);
  expect(Env).toEqual(['HOME=/tmp', 'LANG=C.UTF-8']);
  for (const key of ['Binds', 'Mounts', 'Devices', 'VolumesFrom', 'PidMode', 'NetworkMode', 'UsernsMode', 'CapAdd']) {
    expect(HostConfig).not.toHaveProperty(key);
  }
});

it('requires a worker id with a namespace: otherwise a sweep could remove another installation’s containers', () => {
  const runtimes = declaredRuntimes;
  const options = { endpoint: 'unix:///x', runtimes, seccompProfile: '{}', outputBytesMax: 1, workerId: 'plain' };
  expect(() => new DockerSandbox(options)).toThrow('<namespace>.<id>');
});

describe('the seccomp profile', () => {
  const profile = JSON.parse(readFileSync('seccomp/cell.json', 'utf8')) as {
    defaultAction: string;
    defaultErrnoRet: number;
    syscalls: { names: string[]; action: string; errnoRet?: number; args?: unknown[] }[];
  };
  const allowed = profile.syscalls.filter(({ action }) => action === 'SCMP_ACT_ALLOW');
  const names = allowed.flatMap((rule) => rule.names);
  const filter = readFileSync('infra/launcher/filter.c', 'utf8');
  const taken = new Set([...filter.matchAll(/DENY\((\w+)\)/g)].map(([, name]) => name!));

  it('is an allow-list that returns errnos', () => {
    expect(profile).toMatchObject({ defaultAction: 'SCMP_ACT_ERRNO', defaultErrnoRet: 1 });
    const actions = new Set(profile.syscalls.map(({ action }) => action));
    expect(actions).toEqual(new Set(['SCMP_ACT_ALLOW', 'SCMP_ACT_ERRNO']));
  });

  it('lists nothing twice and nothing dangerous', () => {
    // A call that is allowed only with certain arguments has one rule for each.
    const whole = allowed.filter(({ args }) => !args).flatMap((rule) => rule.names);
    expect(new Set(whole).size).toBe(whole.length);
    expect(names.filter((name) => !whole.includes(name) && !['socket', 'socketpair'].includes(name))).toEqual([]);
    expect(whole).not.toEqual(expect.arrayContaining(['socket']));
    const dangerous = new Set([
      'clone3',
      'ptrace',
      'umount2',
      'pivot_root',
      'chroot',
      'unshare',
      'setns',
      'bpf',
      'keyctl',
      'seccomp',
      'personality',
    ]);
    expect(names.filter((name) => dangerous.has(name) || name.startsWith('io_uring'))).toEqual([]);
  });

  it('grants the launcher three calls that its second filter removes, and no others', () => {
    // With any flags; every other rule lists calls for programs.
    expect(allowed.find((rule) => rule.names.includes('clone'))).toEqual({
      names: ['clone', 'mount', 'sethostname'],
      action: 'SCMP_ACT_ALLOW',
    });
    expect(names.filter((name) => taken.has(name)).toSorted()).toEqual(['mount', 'sethostname']);
  });

  it('allows sockets of three families, for TCP and UDP', () => {
    const rules = allowed.filter((rule) => rule.names.some((name) => name.startsWith('socket')));
    const told = rules.map(({ args }) =>
      (args as { value: number; valueTwo?: number; op: string }[]).map(({ value, valueTwo, op }) =>
        op === 'SCMP_CMP_MASKED_EQ' ? `&${value}=${valueTwo}` : value,
      ),
    );
    const kinds = [
      ['&15=1', 0],
      ['&15=1', 6],
      ['&15=2', 0],
      ['&15=2', 17],
    ];
    // AF_UNIX of any kind; AF_INET and AF_INET6 with SOCK_STREAM (TCP) and SOCK_DGRAM (UDP).
    expect(told).toEqual([[1], ...[2, 10].flatMap((family) => kinds.map((kind) => [family, ...kind]))]);
  });

  it('allows clone without namespaces and without a shared file table', () => {
    // NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET
    const flags = [0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000];
    const mask = /define CLONE_NAMESPACES (0x[0-9A-F]+)u/.exec(filter)![1];
    expect(Number(mask)).toBe(flags.reduce((sum, flag) => sum + flag));
    expect(filter.replace(/\s+/g, ' ')).toContain(
      'ON_CALL(clone, LOAD(ARG0), IF_ANY_BIT(CLONE_NAMESPACES), ANSWER(EPERM), ' +
        'IF_ANY_BIT(CLONE_THREAD), ALLOW, IF_ANY_BIT(CLONE_FILES), ANSWER(EPERM), ALLOW)',
    );
  });
});
