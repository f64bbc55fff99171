import { delay } from '../../src/platform/async/delay.js';
import { ApiClient } from '../../test/support/api-client.js';
import build from '../../test/support/build.js';
import { startChildService } from '../../test/support/child-service.js';
import { prepareTestService } from '../../test/support/service.js';
import { median, quantile, timed } from '../figures.js';

/**
 * Does the API answer while a thousand executions are started again? The p99 of `GET /tasks/{id}` of another user, before
 * the request and from it until the last execution is started, in one process with all roles but the worker's.
 */
const RERUNS = 1_000;
const CREATED_AT_ONCE = 20;
const IDLE_READS = 1_000;
/** As a page that polls. */
const PAUSE_MS = 10;
const RATIO_MAX = 3;

const p99 = (values: readonly number[]): number => quantile(values, 0.99);

await build();
const installation = await prepareTestService({});
const service = await startChildService({ ...installation.env, VOIDRUNNER_ROLES: 'api,relay,projector,orchestrator' });
try {
  const [owner, reader] = [await ApiClient.register(() => service.url!), await ApiClient.register(() => service.url!)];
  const { id: taskId } = await reader.createTask({ script_type: 'bash', script_content: 'true' });
  for (let begun = 0; begun < RERUNS; begun += CREATED_AT_ONCE) {
    const ended = async (): Promise<void> => {
      const task = await owner.createTask({ script_type: 'bash', script_content: 'true' });
      const { id } = await owner.start(task.id, { executor: 'external' });
      await owner.ok('PUT', `/executions/${id}`, { status: 'completed', return_code: 0 });
    };
    await Promise.all(Array.from({ length: CREATED_AT_ONCE }, ended));
  }

  const read = async (): Promise<number> => {
    await delay(PAUSE_MS);
    return timed(() => reader.ok('GET', `/tasks/${taskId}`));
  };
  const idle: number[] = [];
  while (idle.length < IDLE_READS) idle.push(await read());

  const startedAt = performance.now();
  const batch = await owner.ok<{ id: string }>('POST', '/executions/rerun', { filter: {}, limit: RERUNS });
  const requestMs = performance.now() - startedAt;
  const busy: number[] = [];
  let isOver = false;
  const watching = (async () => {
    for (;;) {
      await delay(1_000);
      const { status } = await owner.ok<{ status: string }>('GET', `/batches/${batch.id}`);
      if (status !== 'starting') break;
    }
    isOver = true;
  })();
  while (!isOver) busy.push(await read());
  await watching;

  const seconds = ((performance.now() - startedAt) / 1_000).toFixed(0);
  console.log(`${RERUNS} reruns: accepted in ${requestMs.toFixed(0)} ms, started in ${seconds} s`);
  const shown = (values: readonly number[]) => `p50 ${median(values).toFixed(1)} ms, p99 ${p99(values).toFixed(1)} ms`;
  console.log(`GET /tasks/{id}: idle ${shown(idle)}; meanwhile ${shown(busy)} (${busy.length} reads)`);
  const ratio = p99(busy) / p99(idle);
  const isMet = ratio <= RATIO_MAX;
  console.log(`p99 meanwhile ÷ idle: ${ratio.toFixed(2)} (target: at most ${RATIO_MAX}, ${isMet ? 'met' : 'MISSED'})`);
  process.exitCode = isMet ? 0 : 1;
} finally {
  await service.end();
  await installation.close();
}
