import { DockerSandbox } from '../../../src/sandbox/docker-sandbox.js';
import { connectEngine } from '../../../src/sandbox/engine.js';
import { SandboxFailure } from '../../../src/sandbox/sandbox.js';
import { runtimeOf } from '../../support/declared-runtimes.js';
import {
  containersOf,
  dockerEndpoint,
  expectNoContainers,
  job,
  sandboxOptions,
  testWorkerId,
} from '../../support/docker.js';
import { eventually } from '../../support/eventually.js';
import { SocketProxy } from '../../support/socket-proxy.js';

const docker = connectEngine(dockerEndpoint);
const boxes: { box: DockerSandbox; workerId: string }[] = [];
const noSignal = new AbortController().signal;

async function sandbox(overrides: Parameters<typeof sandboxOptions>[0] = {}): Promise<DockerSandbox> {
  const options = await sandboxOptions(overrides);
  const box = new DockerSandbox(options);
  boxes.push({ box, workerId: options.workerId });
  return box;
}

/** Its `ps` shows the running container. */
const running = async (workerId: string): Promise<string> => {
  const [name, ...more] = await containersOf(workerId);
  expect(more).toEqual([]);
  expect(name).toBeDefined();
  expect((await docker.getContainer(name!).inspect()).State.Running).toBe(true);
  return name!;
};

const failureOf = async (run: Promise<unknown>): Promise<SandboxFailure> => {
  const error: unknown = await run.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(SandboxFailure);
  return error as SandboxFailure;
};

afterEach(async () => {
  await Promise.all(boxes.splice(0).map(({ box, workerId }) => box.close().then(() => expectNoContainers(workerId))));
});

it('a healthy engine reports its own version and the runtime’s', async () => {
  const box = await sandbox();
  const health = await eventually(async () => {
    const asked = await box.health();
    expect(asked.healthy).toBe(true);
    return asked;
  });
  expect(health.detail).toMatch(/^Docker \d+\.\d+.*, \w+ \d+\.\d+.*, cgroup v[12]$/);
});

it('a missing image fails the run with the image’s name, before user code', async () => {
  const box = await sandbox();
  const runtime = { ...runtimeOf('bash'), image: 'voidrunner/no-such-image:1' };
  const failure = await failureOf(box.run(job('bash', 'echo on', { runtime }), { signal: noSignal }));
  expect(failure.message).toContain('voidrunner/no-such-image:1');
  expect(failure.countsAsAttempt).toBe(false);
});

it('an image that the execution is to run in is used instead of the runtime’s, and is named when it is missing', async () => {
  const box = await sandbox();
  const { Id } = await docker.getImage(runtimeOf('python').image).inspect();
  const outcome = await box.run(job('bash', 'command -v python3', { imageDigest: Id }), { signal: noSignal });
  expect(outcome).toMatchObject({ returnCode: 0, imageDigest: Id });
  const gone = `sha256:${'0'.repeat(64)}`;
  const failure = await failureOf(box.run(job('bash', ':', { imageDigest: gone }), { signal: noSignal }));
  expect(failure).toMatchObject({ countsAsAttempt: false, message: `the image ${gone} is missing` });
});

it('a program that the image lacks fails the run with its name, before user code', async () => {
  const box = await sandbox();
  const runtime = { ...runtimeOf('python'), image: runtimeOf('bash').image };
  const failure = await failureOf(box.run(job('python', 'print(1)', { runtime }), { signal: noSignal }));
  expect(failure.message).toContain('no such program: python3');
  expect(failure.countsAsAttempt).toBe(false);
});

it('a launcher that the image lacks fails the run with its path, before user code', async () => {
  // It has a launcher, but not in the place where a job image has it.
  const box = await sandbox();
  const runtime = { ...runtimeOf('bash'), image: 'voidrunner/launcher:latest' };
  const failure = await failureOf(box.run(job('bash', 'echo on', { runtime }), { signal: noSignal }));
  expect(failure.message).toContain('/usr/local/lib/voidrunner/launcher');
  expect(failure.countsAsAttempt).toBe(false);
});

it('without the engine it is unhealthy, fails runs before user code, and recovers by itself', async () => {
  const proxy = await SocketProxy.before(dockerEndpoint);
  try {
    const box = await sandbox({ endpoint: proxy.endpoint });
    expect(await box.health()).toEqual({
      healthy: false,
      detail: expect.stringMatching(/Docker engine: .*ENOENT/) as string,
    });
    const failure = await failureOf(box.run(job('bash', 'echo on'), { signal: noSignal }));
    expect(failure.countsAsAttempt).toBe(false);
    await proxy.open();
    await eventually(async () => expect(await box.health()).toMatchObject({ healthy: true }));
    expect(await box.run(job('bash', 'exit 2'), { signal: noSignal })).toMatchObject({ returnCode: 2 });
    await box.idle();
    await proxy.cut();
    await eventually(async () => expect(await box.health()).toMatchObject({ healthy: false }));
  } finally {
    await proxy.remove();
  }
});

it('if the engine accepts connections without responding, it is unhealthy within the ping’s time limit', async () => {
  const proxy = await SocketProxy.before(dockerEndpoint);
  try {
    await proxy.open({ forwarding: false });
    const box = await sandbox({ endpoint: proxy.endpoint });
    expect(await box.health()).toEqual({
      healthy: false,
      detail: expect.stringContaining('did not respond to "ping"') as string,
    });
  } finally {
    await proxy.remove();
  }
});

it('a runtime that the engine does not know is reported', async () => {
  const box = await sandbox({ runtime: 'no-such-runtime' });
  expect(await box.health()).toMatchObject({
    healthy: false,
    detail: expect.stringMatching(/does not know the runtime no-such-runtime, only .*runc/) as string,
  });
  expect((await failureOf(box.run(job('bash', 'echo on'), { signal: noSignal }))).countsAsAttempt).toBe(false);
});

it('an engine that fails during a run causes a failure after user code started, and the sweep cleans up', async () => {
  const proxy = await SocketProxy.before(dockerEndpoint);
  try {
    await proxy.open();
    const workerId = testWorkerId();
    const box = await sandbox({ endpoint: proxy.endpoint, workerId });
    const run = box.run(job('bash', 'echo on; sleep 600'), { signal: noSignal, onOutput: () => void proxy.cut() });
    expect((await failureOf(run)).countsAsAttempt).toBe(true);
    expect(await containersOf(workerId)).toHaveLength(1);
    await proxy.open();
    // The same worker that lost it: none of its runs knows the container any more.
    expect(await box.sweep(() => true)).toBe(1);
    expect(await containersOf(workerId)).toEqual([]);
  } finally {
    await proxy.remove();
  }
});

it('a run that could not be ended is not reported as cancelled', async () => {
  const proxy = await SocketProxy.before(dockerEndpoint);
  try {
    await proxy.open();
    const cancel = new AbortController();
    const box = await sandbox({ endpoint: proxy.endpoint });
    const run = box.run(job('bash', 'echo on; sleep 600'), {
      signal: cancel.signal,
      onOutput: () => {
        void proxy.cut();
        cancel.abort();
      },
    });
    expect((await failureOf(run)).countsAsAttempt).toBe(true);
    await proxy.open();
    expect(await box.sweep(() => true)).toBe(1);
  } finally {
    await proxy.remove();
  }
});

it('a container killed from outside is a failure, not the program’s end', async () => {
  const workerId = testWorkerId();
  const box = await sandbox({ workerId });
  const run = box.run(job('bash', 'echo on; sleep 600'), {
    signal: noSignal,
    onOutput: () => void running(workerId).then((name) => docker.getContainer(name).kill()),
  });
  const failure = await failureOf(run);
  expect(failure.countsAsAttempt).toBe(true);
  expect(failure.message).toContain('137');
});

it('a container removed from outside is a failure as well', async () => {
  const workerId = testWorkerId();
  const box = await sandbox({ workerId });
  const run = box.run(job('bash', 'echo on; sleep 600'), {
    signal: noSignal,
    onOutput: () => void running(workerId).then((name) => docker.getContainer(name).remove({ force: true })),
  });
  expect((await failureOf(run)).countsAsAttempt).toBe(true);
});

it('the sweep removes containers of dead workers in its own namespace, and never a live run', async () => {
  const namespace = testWorkerId().split('.')[0]!;
  const ids = { own: `${namespace}.own`, dead: `${namespace}.dead`, live: `${namespace}.live`, other: testWorkerId() };
  const containers = await Promise.all(
    [ids.dead, ids.live, ids.other].map((workerId) =>
      docker.createContainer({
        Image: 'voidrunner/bash:latest',
        Labels: { 'voidrunner.managed': '1', 'voidrunner.worker': workerId },
      }),
    ),
  );
  const unmanaged = await docker.createContainer({
    Image: 'voidrunner/bash:latest',
    Labels: { 'voidrunner.worker': ids.dead },
  });
  try {
    const box = await sandbox({ workerId: ids.own });
    const swept = Promise.withResolvers<number>();
    const cancel = new AbortController();
    const run = box.run(job('bash', 'echo on; sleep 600'), {
      signal: cancel.signal,
      onOutput: () => void box.sweep((workerId) => workerId === ids.live).then(swept.resolve, swept.reject),
    });
    expect(await swept.promise).toBe(1);
    cancel.abort();
    // If the sweep had removed its container, the run would have failed.
    expect(await run).toMatchObject({ reason: 'cancelled' });
    expect(
      await Promise.all([ids.dead, ids.live, ids.other].map(async (id) => (await containersOf(id)).length)),
    ).toEqual([0, 1, 1]);
    expect((await unmanaged.inspect()).Id).toBe(unmanaged.id);
  } finally {
    await Promise.allSettled([...containers, unmanaged].map((container) => container.remove({ force: true })));
  }
});

it('close() ends every run as a failure, removes every container, and takes no more runs', async () => {
  const workerId = testWorkerId();
  const box = await sandbox({ workerId });
  const started = Promise.withResolvers<void>();
  const runs = [
    failureOf(box.run(job('bash', 'echo on; sleep 600'), { signal: noSignal, onOutput: () => started.resolve() })),
    failureOf(box.run(job('bash', 'sleep 600'), { signal: noSignal })),
  ];
  await started.promise;
  await box.close();
  expect(await containersOf(workerId)).toEqual([]);
  for (const failure of await Promise.all(runs)) expect(failure.message).toContain('closing');
  expect((await failureOf(box.run(job('bash', 'echo'), { signal: noSignal }))).countsAsAttempt).toBe(false);
});

it('bad input is refused before a container is created', async () => {
  const box = await sandbox({ endpoint: 'unix:///nowhere/docker.sock' });
  const run = box.run(job('bash', 'echo', { input: { env: { 'A=B': 'c' } } }), { signal: noSignal });
  await expect(run).rejects.toMatchObject({ name: 'DomainError', kind: 'invalid', code: 'invalid_sandbox_input' });
});

it('the running container is hardened', async () => {
  const workerId = testWorkerId();
  const box = await sandbox({ workerId });
  const cancel = new AbortController();
  const inspected = Promise.withResolvers<Awaited<ReturnType<ReturnType<typeof docker.getContainer>['inspect']>>>();
  const run = box.run(job('python', 'print(1, flush=True)\nimport time\ntime.sleep(600)'), {
    signal: cancel.signal,
    onOutput: () =>
      void running(workerId)
        .then((name) => docker.getContainer(name).inspect())
        .then(inspected.resolve, inspected.reject)
        .finally(() => cancel.abort()),
  });
  const { Config, HostConfig, Mounts } = await inspected.promise;
  await run;
  expect(Config.User).toMatch(/^(\d{6,}):\1$/);
  expect(Config.Labels).toMatchObject({ 'voidrunner.managed': '1', 'voidrunner.worker': workerId });
  expect(Config).toMatchObject({ NetworkDisabled: true, Tty: false });
  expect(Mounts).toEqual([]);
  // The program, and its two supervisors.
  // Of its own: a launcher, an init and the preloaded interpreter, with that one's memory.
  const memory = (256 + 3) << 20;
  const limits = { PidsLimit: 67, Memory: memory, MemorySwap: memory, NanoCpus: 1e9, ShmSize: memory };
  expect(HostConfig).toMatchObject({
    ...limits,
    ReadonlyRootfs: true,
    Privileged: false,
    CapAdd: null,
    CapDrop: ['ALL'],
    IpcMode: 'private',
    AutoRemove: false,
    LogConfig: { Type: 'none' },
    Binds: null,
    // The launcher hides what Docker would mask.
    MaskedPaths: [],
    ReadonlyPaths: [],
  });
  expect(HostConfig.SecurityOpt).toEqual(['no-new-privileges', expect.stringMatching(/^seccomp=\{.*SCMP_ACT_ERRNO/)]);
  expect(HostConfig.Ulimits).toEqual(
    expect.arrayContaining([
      { Name: 'nofile', Soft: 256, Hard: 256 },
      { Name: 'core', Soft: 1, Hard: 1 },
    ]),
  );
});
