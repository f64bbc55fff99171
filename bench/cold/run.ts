/**
 * Question: what does a cold start cost, with preloaded interpreters and without?
 * 64 users at once, each with one run of "print 1" in a cell that is made for it, over HTTP: the time from POST to the
 * response, p50 and p95 of all rounds. Rounds alternate between a service with preloading and one without. Then the
 * memory that the engine charges to a ready cell that nobody uses.
 * Run: npm run bench -- cold   (ROUNDS=3 USERS=64 by default)
 */
import { DockerSandbox } from '../../src/sandbox/docker-sandbox.js';
import { connectEngine } from '../../src/sandbox/engine.js';
import { ApiClient } from '../../test/support/api-client.js';
import build from '../../test/support/build.js';
import { startChildService } from '../../test/support/child-service.js';
import { containersOf, dockerEndpoint, sandboxOptions } from '../../test/support/docker.js';
import { eventually } from '../../test/support/eventually.js';
import { declaredRuntimes } from '../../test/support/declared-runtimes.js';
import { prepareTestService } from '../../test/support/service.js';
import { BASH, JAVASCRIPT, type Program, PYTHON } from '../docker-run.js';
import { median, timed } from '../figures.js';

const ROUNDS = Number(process.env.ROUNDS ?? 3);
const USERS = Number(process.env.USERS ?? 64);
const WAYS = ['on', 'off'] as const;
const PROGRAMS = [PYTHON, JAVASCRIPT, BASH];
const IMAGES = 4;
const READY_PER_IMAGE = 2;
const READY_TIMEOUT_MS = 120_000;
/** MiB of an idle ready cell. */
const MEMORY_MAX: Readonly<Record<string, number>> = {
  'voidrunner/python:latest': 12,
  'voidrunner/javascript:latest': 45,
};

const engine = connectEngine(dockerEndpoint);

/** A service with its users. Its cells are removed half a second after their run. */
async function start(preload: (typeof WAYS)[number]) {
  const installation = await prepareTestService({
    WORKER_POOL_SIZE: String(USERS),
    EXECUTOR_CELLS_MAX: String(USERS),
    EXECUTOR_PRELOAD: preload,
  });
  const service = await startChildService(installation.env);
  const users: ApiClient[] = [];
  while (users.length < USERS) users.push(await ApiClient.register(() => service.url!));
  const namespace = `${installation.config.QUEUE_NAMESPACE}.`;
  const expectNoCells = async () => {
    const containers = await engine.listContainers({ all: true });
    const own = containers.filter(({ Labels }) => Object.values(Labels).some((label) => label.startsWith(namespace)));
    if (own.length > 0) throw new Error(`${own.length} cells are left`);
  };
  /** @returns milliseconds of each user */
  const allAtOnce = async ({ language, script }: Program): Promise<number[]> => {
    const content = { script_type: language, script_content: script };
    const tasks = await Promise.all(users.map((user) => user.createTask(content)));
    await eventually(expectNoCells, { timeoutMs: READY_TIMEOUT_MS });
    const run = (user: ApiClient, at: number) => user.ok('POST', `/tasks/${tasks[at]!.id}/executions?wait=60`);
    return Promise.all(users.map((user, at) => timed(() => run(user, at))));
  };
  const close = async () => {
    await service.end();
    await installation.close();
  };
  return { allAtOnce, close };
}

function quantile(values: readonly number[], part: number): string {
  const sorted = values.toSorted((one, other) => one - other);
  return sorted[Math.floor(sorted.length * part)]!.toFixed(0).padStart(7);
}

/** MiB of each image's ready cells, without the pages of files, which the kernel drops when it needs memory. */
async function idleMemory(preload: boolean): Promise<Map<string, number>> {
  const options = await sandboxOptions({ poolSize: READY_PER_IMAGE, preload });
  const sandbox = new DockerSandbox(options);
  try {
    sandbox.start();
    await eventually(
      () => {
        if (sandbox.figures.ready < IMAGES * READY_PER_IMAGE) throw new Error('the pool is not full');
      },
      { timeoutMs: READY_TIMEOUT_MS },
    );
    const byImage = new Map<string, number[]>();
    for (const name of await containersOf(options.workerId)) {
      const container = engine.getContainer(name);
      const { Image } = await container.inspect();
      const { usage, stats } = (await container.stats({ stream: false, 'one-shot': true })).memory_stats;
      const files = stats.total_inactive_file + stats.total_active_file || stats.inactive_file + stats.active_file || 0;
      byImage.set(Image, [...(byImage.get(Image) ?? []), (usage - files) / 1024 ** 2]);
    }
    const names = new Map<string, string>();
    for (const { image } of declaredRuntimes.all.filter(({ keep_ready }) => keep_ready))
      names.set((await engine.getImage(image).inspect()).Id, image);
    return new Map([...byImage].map(([digest, sizes]) => [names.get(digest)!, median(sizes)]));
  } finally {
    await sandbox.close();
  }
}

await build();
const services = { on: await start('on'), off: await start('off') };
try {
  console.log(
    `ms from POST to the response, ${USERS} users at once, ${ROUNDS} rounds\n            preloaded: p50    p95   off: p50    p95`,
  );
  for (const program of PROGRAMS) {
    const times: Record<(typeof WAYS)[number], number[]> = { on: [], off: [] };
    for (let round = 0; round < ROUNDS; round += 1)
      for (const way of WAYS) times[way].push(...(await services[way].allAtOnce(program)));
    const cells = WAYS.flatMap((way) => [quantile(times[way], 0.5), quantile(times[way], 0.95)]);
    console.log(program.language.padEnd(19), cells.join(' '));
  }
} finally {
  await services.on.close();
  await services.off.close();
}

console.log('\nMiB of an idle ready cell\n                               preloaded     off');
const [on, off] = [await idleMemory(true), await idleMemory(false)];
const met = Object.keys(MEMORY_MAX).map((image) => on.has(image));
for (const [image, size] of on) {
  const max = MEMORY_MAX[image] ?? Number.POSITIVE_INFINITY;
  const verdict = image in MEMORY_MAX ? `  (<= ${max}) ${size <= max ? 'met' : 'MISSED'}` : '';
  console.log(image.padEnd(32), size.toFixed(1).padStart(7), off.get(image)!.toFixed(1).padStart(7), verdict);
  met.push(size <= max);
}
process.exitCode = met.every(Boolean) ? 0 : 1;
