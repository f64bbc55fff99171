/**
 * Question: what does `@voidrunner/client` add to a request? The same requests by `fetch` alone and by the client, in
 * turn: `GET /tasks/{id}`, and a run of an empty bash program from its start to its result. Both send an idempotency key
 * with a run, as whoever repeats it must.
 * Run: npm run bench -- client
 */
import { randomUUID } from 'node:crypto';

import { VoidRunner } from '@voidrunner/client';

import { ApiClient, call } from '../../test/support/api-client.js';
import build from '../../test/support/build.js';
import { startChildService } from '../../test/support/child-service.js';
import { prepareTestService } from '../../test/support/service.js';
import { median, timed } from '../figures.js';

const READS = 2_000;
const RUNS = 400;
const WARM_UP = 20;
const ADDED_MS_MAX = 1;
const SCOPES = ['tasks:read', 'tasks:write', 'executions:read', 'executions:write'];

await build();
const installation = await prepareTestService({});
const service = await startChildService({ ...installation.env, RATE_LIMIT_ENABLED: 'false' });

interface Pair {
  readonly bare: () => Promise<unknown>;
  readonly client: () => Promise<unknown>;
}

/** @returns whether the target is met */
async function compare(what: string, count: number, { bare, client }: Pair): Promise<boolean> {
  const times = { bare: [] as number[], client: [] as number[] };
  for (let turn = 0; turn < count + WARM_UP; turn += 1) {
    const order = turn % 2 === 0 ? (['bare', 'client'] as const) : (['client', 'bare'] as const);
    for (const kind of order) {
      const ms = await timed(kind === 'bare' ? bare : client);
      // The first ones compile code, and start a cell.
      if (turn >= WARM_UP) times[kind].push(ms);
    }
  }
  const [without, withClient] = [median(times.bare), median(times.client)];
  const added = withClient - without;
  const isMet = added <= ADDED_MS_MAX;
  console.log(
    `${what}: p50 ${without.toFixed(2)} ms by fetch, ${withClient.toFixed(2)} by the client, ${added.toFixed(2)} more ` +
      `(target: at most ${ADDED_MS_MAX}, ${isMet ? 'met' : 'MISSED'})`,
  );
  return isMet;
}

try {
  const ada = await ApiClient.register(() => service.url!);
  const task = await ada.createTask({ script_type: 'bash', script_content: 'true' });
  const { key } = await ada.ok<{ key: string }>('POST', '/keys', { name: 'bench', scopes: SCOPES });
  const vr = new VoidRunner({ baseUrl: service.url!, apiKey: key });
  const authorization = `Bearer ${key}`;
  const read = await compare('GET /tasks/{id}', READS, {
    bare: () => call(`${service.url}/api/v1/tasks/${task.id}`, 'GET', undefined, { authorization }),
    client: () => vr.tasks.get(task.id),
  });
  const program = { name: 'bench', script_type: 'bash', script_content: ':' };
  const run = await compare('run', RUNS, {
    bare: () =>
      call(`${service.url}/api/v1/executions?wait=50`, 'POST', program, {
        authorization,
        'idempotency-key': randomUUID(),
      }),
    client: () => vr.run('bash', ':'),
  });
  process.exitCode = read && run ? 0 : 1;
} finally {
  await service.end();
  await installation.close();
}
