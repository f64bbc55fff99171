import { connectEngine } from '../../../src/sandbox/engine.js';
import { dockerEndpoint, TestSandbox } from '../../support/docker.js';
import { eventually } from '../../support/eventually.js';
import { SocketProxy } from '../../support/socket-proxy.js';

const docker = connectEngine(dockerEndpoint);
const IMAGES = 4;
/** Eight containers are created one or two at a time, on a machine that may be busy. */
const READY_TIMEOUT = { timeoutMs: 45_000 };
let box: TestSandbox;

const full = () =>
  eventually(() => expect(box.sandbox.figures).toMatchObject({ ready: IMAGES, refilling: 0, busy: 0 }), READY_TIMEOUT);

afterEach(async () => {
  await box.sandbox.close();
  await box.expectNoContainers();
});

it('the pool is filled at the start, serves the default limits of every language, and is refilled', async () => {
  box = await TestSandbox.create({ poolSize: 1, isolation: 'single' });
  expect(await box.containers()).toEqual([]);
  box.sandbox.start();
  await full();
  const { coldStarts } = box.sandbox.figures;
  const ready = await box.containers();
  expect(ready).toHaveLength(IMAGES);
  expect(await box.run('typescript', 'console.log(1 as number)')).toMatchObject({ out: '1\n', returnCode: 0 });
  expect(await box.run('python', 'print(2)')).toMatchObject({ out: '2\n', returnCode: 0 });
  expect(box.sandbox.figures.coldStarts).toBe(coldStarts);
  await full();
  const anew = (await box.containers()).filter((name) => !ready.includes(name));
  expect(anew).toHaveLength(2);
});

it('other limits start cold', async () => {
  box = await TestSandbox.create({ poolSize: 1 });
  box.sandbox.start();
  await full();
  const { coldStarts } = box.sandbox.figures;
  await box.run('bash', 'true', { limits: { memory_mb: 64, cpus: 1, pids: 64 } });
  expect(box.sandbox.figures).toMatchObject({ ready: IMAGES, resting: 1, coldStarts: coldStarts + 1 });
});

it('a cell that was killed from outside is replaced', async () => {
  box = await TestSandbox.create({ poolSize: 1 });
  box.sandbox.start();
  await full();
  const [victim] = await box.containers();
  await docker.getContainer(victim!).kill();
  await eventually(async () => {
    const names = await box.containers();
    expect(names).toHaveLength(IMAGES);
    expect(names).not.toContain(victim);
    expect(box.sandbox.figures.ready).toBe(IMAGES);
  }, READY_TIMEOUT);
});

it('if the engine was unavailable at the start, the first run after the outage fills the pool', async () => {
  const proxy = await SocketProxy.before(dockerEndpoint);
  try {
    box = await TestSandbox.create({ poolSize: 1, endpoint: proxy.endpoint });
    box.sandbox.start();
    await expect(box.run('bash', 'true')).rejects.toMatchObject({ countsAsAttempt: false });
    await proxy.open();
    await eventually(async () => expect(await box.run('bash', 'true')).toMatchObject({ returnCode: 0 }));
    await full();
    await box.sandbox.close();
  } finally {
    await proxy.remove();
  }
});

it('a pool that closes while it fills leaves no container behind', async () => {
  box = await TestSandbox.create({ poolSize: 2 });
  box.sandbox.start();
  await eventually(() => expect(box.sandbox.figures.refilling).toBeGreaterThan(0), READY_TIMEOUT);
  await box.sandbox.close();
  expect(await box.containers()).toEqual([]);
});
