import type { Pool } from 'pg';

import { masterKeysOf } from '../../src/composition/secrets.js';
import { CANCELLED_AT_A_TIME_MAX, ErasurePass, type ErasurePassResult } from '../../src/erasure/erasure-pass.js';
import { ErasureSweep } from '../../src/erasure/erasure-sweep.js';
import { UnfinishedErasures } from '../../src/erasure/unfinished-erasures.js';
import { Unavailable } from '../../src/kernel/errors.js';
import { silentLog } from '../../src/platform/telemetry/log.js';
import { DataKeys } from '../../src/platform/payloads/data-keys.js';
import { ApiClient } from '../support/api-client.js';
import { voidrunner } from '../support/cli.js';
import { eventually } from '../support/eventually.js';
import { InMemoryLiveOutput } from '../support/in-memory-live-output.js';
import { startTestService, type TestService } from '../support/service.js';

let service: TestService;
beforeAll(async () => {
  // Without the orchestrator's role: the sweep is this test.
  service = await startTestService({ VOIDRUNNER_ROLES: 'api,projector,relay' });
});
afterAll(() => service.close());

const { signal } = new AbortController();
const metadataFor = (id: string) => ({ actor: 'system:erasure', correlation_id: id }) as const;
const PASSWORD = 'correct horse battery';

function passOn(pool: Pool, liveOutput = new InMemoryLiveOutput()): ErasurePass {
  const { store, decisions, config } = service.processes[0]!.infra;
  const keys = new DataKeys(pool, masterKeysOf(config));
  return new ErasurePass({ pool, store, decisions, keys, liveOutput });
}

/** A pool whose statement of that number fails, as if the process ended there. */
function failingAt(pool: Pool, number: number): Pool {
  let statements = 0;
  return new Proxy(pool, {
    get: (target, name) => {
      if (name !== 'query') return Reflect.get(target, name) as unknown;
      return (...given: Parameters<Pool['query']>) => {
        statements += 1;
        if (statements === number) throw new Unavailable('postgres', 'planned');
        return target.query(...given);
      };
    },
  });
}

async function aPerson(): Promise<ApiClient> {
  const who = await ApiClient.register(() => service.url);
  const task = await who.createTask({ script_type: 'bash', script_content: 'echo secret' });
  await who.start(task.id);
  await who.ok('POST', '/webhooks', { url: 'https://example.com' });
  return who;
}

const erase = (who: ApiClient) => who.ok('DELETE', '/auth/me', { password: PASSWORD });

async function leftOf(id: string): Promise<Record<string, number>> {
  const { rows } = await service.database.ownerPool.query<Record<string, number>>(
    `select
       (select count(*)::int from read.executions where owner_id = $1 and status in ('pending', 'running')) as executions,
       (select count(*)::int from read.webhooks where owner_id = $1) as webhooks,
       (select count(*)::int from es.payloads where owner_id = $1) as payloads,
       (select count(*)::int from es.data_keys where owner_id = $1 and wrapped_key is not null) as keys`,
    [id],
  );
  return rows[0]!;
}

const NOTHING = { executions: 0, webhooks: 0, payloads: 0, keys: 0 };

test('a crash at any statement of a pass: the next pass erases the rest', async () => {
  let failed = 0;
  for (let number = 1; failed === number - 1; number += 1) {
    const who = await aPerson();
    await erase(who);
    const { pool } = service.processes[0]!.infra;
    await passOn(failingAt(pool, number))
      .run(who.user.id, metadataFor, signal)
      .catch((error: unknown) => {
        if (!(error instanceof Unavailable)) throw error;
        failed += 1;
      });
    await passOn(pool).run(who.user.id, metadataFor, signal);
    await eventually(async () => expect(await leftOf(who.user.id)).toEqual(NOTHING));
  }
  expect(failed).toBeGreaterThanOrEqual(8);
});

test('two sweeps at once, while NATS is away and returns: all is erased, and completed once it is back', async () => {
  const { pool } = service.processes[0]!.infra;
  const people = [await aPerson(), await aPerson(), await aPerson()];
  const task = await people[0]!.createTask({ script_type: 'bash', script_content: 'true' });
  const { id: executionId } = await people[0]!.start(task.id, { executor: 'external' });
  await people[0]!.ok('PUT', `/executions/${executionId}`, { status: 'running' });
  for (const who of people) await erase(who);
  const liveOutput = new InMemoryLiveOutput();
  const source = { attempt: 1, startId: 'a', stream: 'stdout' } as const;
  await liveOutput.publish({ executionId, ...source }, { offset: 0, bytes: Buffer.from('secret') });
  liveOutput.away = true;
  const sweeps = [1, 2].map(
    () =>
      new ErasureSweep({
        erasures: new UnfinishedErasures(pool, 'projector'),
        pass: passOn(pool, liveOutput),
        log: silentLog,
        settledMs: 0,
      }),
  );
  const round = () => Promise.all(sweeps.map((sweep) => sweep.round(signal)));
  const isCompleted = async (who: ApiClient) => {
    const select = 'select completed_at is not null as is from identity.erasures where user_id = $1';
    return (await pool.query<{ is: boolean }>(select, [who.user.id])).rows[0]!.is;
  };
  for (const who of people) {
    await eventually(async () => {
      await round();
      expect(await leftOf(who.user.id)).toEqual(NOTHING);
    });
  }
  await round();
  expect(await isCompleted(people[0]!)).toBe(false);
  liveOutput.away = false;
  await eventually(async () => {
    await round();
    for (const who of people) expect(await isCompleted(who)).toBe(true);
  });
  expect(liveOutput.chunks).toEqual([]);
});

test('many executions are cancelled in slices, and none twice', async () => {
  const who = await ApiClient.register(() => service.url);
  const item = { name: 'many', script_type: 'bash', script_content: 'true' };
  const batches = Math.ceil(CANCELLED_AT_A_TIME_MAX / 200) + 1;
  for (let n = 0; n < batches; n += 1)
    await who.ok('POST', '/batches', { items: Array.from({ length: 200 }, () => item) });
  await erase(who);
  const pass = passOn(service.processes[0]!.infra.pool);
  const results: ErasurePassResult[] = [];
  do results.push(await pass.run(who.user.id, metadataFor, signal));
  while (results.at(-1)!.isCut);
  expect(results[0]).toMatchObject({ isCut: true, cancelled: CANCELLED_AT_A_TIME_MAX });
  expect(results.reduce((sum, { cancelled }) => sum + cancelled, 0)).toBe(batches * 200);
  await eventually(async () => expect(await leftOf(who.user.id)).toEqual(NOTHING));
});

test('a service that starts later completes what is left, and the log can be verified', async () => {
  const who = await aPerson();
  await erase(who);
  await service.start({ VOIDRUNNER_ROLES: 'orchestrator,webhooks' });
  await eventually(async () => expect(await leftOf(who.user.id)).toEqual(NOTHING), { timeoutMs: 30_000 });
  await eventually(
    async () => {
      const { code, stdout } = await voidrunner(service.env, ['verify']);
      expect([code, stdout]).toEqual([0, expect.any(String)]);
    },
    { timeoutMs: 60_000 },
  );
});
