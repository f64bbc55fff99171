/**
 * Question: after a fault, how long until work continues, and until all executions in progress have ended?
 * Six processes (two with the API, two with relay, projector and orchestrator, two workers) and private services,
 * including a Docker engine. Two users keep five executions of half a second each in progress. Times from the start of
 * each fault, by the log:
 *   back    the killed server or process is ready again: the lower bound
 *   goes on the first attempt that started after the fault has ended
 *   healed  the last execution that was in progress has ended, by another attempt if necessary
 * Default settings, except for the number of concurrent executions per user.
 * Run: npm run bench -- recovery   (ROUNDS=5, FAULTS=engine,processes,… by default all)
 */
import { availableParallelism, loadavg } from 'node:os';

import { delay } from '../../src/platform/async/delay.js';
import { ignoreErrors } from '../../src/platform/async/ignore-errors.js';
import { LABEL_WORKER } from '../../src/sandbox/container-spec.js';
import { askEngine } from '../../src/sandbox/engine-findings.js';
import { connectEngine } from '../../src/sandbox/engine.js';
import build from '../../test/support/build.js';
import { eventually } from '../../test/support/eventually.js';
import { type FaultyProcess, leaderOf, spawnProcess } from '../../test/support/faults-process.js';
import { freePort } from '../../test/support/free-port.js';
import { PrivateNats } from '../../test/support/nats.js';
import { startPrivateRedis } from '../../test/support/redis.js';
import { prepareTestService } from '../../test/support/service.js';
import { median } from '../figures.js';
import { People, RUNS_EACH } from './people.js';
import { PrivateEngine } from './private-engine.js';
import { PrivatePostgres } from './private-postgres.js';

const ROUNDS = Number(process.env['ROUNDS'] ?? 5);
/** Between the end of one round and the next fault. */
const QUIET_MS = 2_000;
/** A round that is not over by then is reported unfinished. */
const ROUND_MS_MAX = 90_000;
const POLL_MS = 50;
const IMAGE = 'voidrunner/bash:latest';
/** Maximum median in milliseconds; not all faults have one. */
const TARGETS: Readonly<Record<string, number>> = { engine: 3_000, processes: 5_000 };

const ROLES = ['api', 'api', 'relay,projector,orchestrator', 'relay,projector,orchestrator', 'worker', 'worker'];

await build();
const sharedEngine = process.env['DOCKER_ENDPOINT'] ?? 'unix:///var/run/docker.sock';
const [postgres, redis, nats, engine] = await Promise.all([
  PrivatePostgres.start(),
  startPrivateRedis(),
  PrivateNats.start(),
  PrivateEngine.start(IMAGE, sharedEngine),
]);
Object.assign(process.env, postgres.env, { DOCKER_ENDPOINT: engine.endpoint, NATS_URL: nats.url, NATS_USER: '' });
const service = await prepareTestService({
  ...{ NATS_PASSWORD: '', REDIS_HOST: '127.0.0.1', REDIS_PORT: String(redis.port), REDIS_PASSWORD: '' },
  ...{ WORKER_MAX_USER_CONCURRENT_TASKS: String(RUNS_EACH) },
  ...{ WORKER_POOL_SIZE: '4', EXECUTOR_POOL_SIZE: '2', EXECUTOR_CELL_REST: '30s', SERVER_OWN_WRITES_TIMEOUT: '1s' },
});
const ports = await Promise.all(ROLES.map(() => freePort()));
const processes: (FaultyProcess | null)[] = ROLES.map(() => null);
const start = async (index: number): Promise<void> => {
  const settings = {
    VOIDRUNNER_ROLES: ROLES[index]!,
    SERVER_PORT: String(ports[index]),
    DOCKER_ENDPOINT: engine.endpoint,
  };
  processes[index] = await spawnProcess(service, settings);
};
const alive = (): FaultyProcess[] => processes.filter((each): each is FaultyProcess => each?.alive === true);
const indexOf = (wanted: FaultyProcess): number => processes.indexOf(wanted);

/** Resolves when the killed servers or processes are ready again. */
type Fault = () => Promise<void>;
const leaderKilled =
  (role: string): Fault =>
  async () => {
    const leader = await leaderOf(alive(), role);
    await leader.kill();
    await start(indexOf(leader));
  };
const FAULTS: Readonly<Record<string, Fault>> = {
  engine: async () => {
    await engine.kill();
    await engine.start();
  },
  processes: async () => {
    await Promise.all(alive().map((each) => each.kill()));
    await Promise.all(ROLES.map((_, index) => start(index)));
  },
  worker: async () => {
    const index = ROLES.indexOf('worker');
    await processes[index]!.kill();
    await start(index);
  },
  relay: leaderKilled('relay'),
  projector: leaderKilled('projector'),
  orchestrator: leaderKilled('orchestrator'),
  postgres: async () => {
    await postgres.kill();
    await postgres.start();
  },
  redis: async () => {
    await redis.kill();
    await redis.start();
  },
  nats: async () => {
    await nats.kill();
    await nats.start();
  },
};

interface Round {
  readonly back: number;
  readonly goesOn: number;
  readonly healed: number;
}

/** From the log: the first success of an attempt started after the fault, and whether older executions have ended. */
const LOG = `
  with since as (select stream_id, type, data, recorded_at from es.events
                 where stream_type = 'execution' and recorded_at >= $1),
  gone_on as (
    select min(ended.recorded_at) as at from since started
    join since ended on ended.stream_id = started.stream_id and ended.type = 'ExecutionSucceeded'
      and ended.data -> 'attempt' = started.data -> 'attempt'
    where started.type = 'ExecutionAttemptStarted'),
  older as (select stream_id from es.events where type = 'ExecutionRequested' and recorded_at < $1),
  ends as (select stream_id, max(recorded_at) as at from es.events
           where type in ('ExecutionSucceeded', 'ExecutionFailed', 'ExecutionTimedOut', 'ExecutionDeadLettered')
           group by stream_id)
  select (select at from gone_on) as gone_on,
    (select count(*)::int from older left join ends using (stream_id) where ends.at is null) as open,
    (select max(ends.at) from older join ends using (stream_id) where ends.at >= $1) as healed`;

let lastFault = new Date();

async function round(fault: Fault): Promise<Round> {
  await delay(QUIET_MS);
  const begun = new Date();
  lastFault = begun;
  const startedAt = performance.now();
  await fault();
  const back = performance.now() - startedAt;
  if (process.env['VERBOSE']) console.log(`back after ${back.toFixed(0)} ms`);
  const since = (at: Date | null): number => (at === null ? Number.NaN : at.getTime() - begun.getTime());
  for (;;) {
    const query = service.database.ownerPool.query<{ gone_on: Date | null; open: number; healed: Date | null }>(LOG, [
      begun,
    ]);
    const seen = (await ignoreErrors(query, 'Postgres may be the fault'))?.rows[0];
    const late = performance.now() - startedAt > ROUND_MS_MAX;
    if (seen && (late || (seen.gone_on !== null && seen.open === 0))) {
      return { back, goesOn: since(seen.gone_on), healed: seen.open === 0 ? since(seen.healed) : Number.NaN };
    }
    await delay(POLL_MS);
  }
}

/** Prints the log since the last fault, to show where the time went. */
async function describeLast(): Promise<void> {
  const { rows } = await service.database.ownerPool.query<{ ms: string; type: string; id: string; what: string }>(
    `select round(extract(epoch from recorded_at - $1) * 1000) as ms, type, substr(stream_id::text, 25) as id,
       coalesce(data ->> 'attempt', '') || ' ' || coalesce(data ->> 'why', data ->> 'detail', right(data ->> 'worker', 14), '') as what
     from es.events where stream_type = 'execution' and recorded_at >= $1 order by position limit 200`,
    [lastFault],
  );
  for (const { ms, type, id, what } of rows) console.log(ms.padStart(7), id, type.padEnd(26), what);
}

/** Workers sweep every 3 s, and remove containers of a worker that is missing in two sweeps. */
const SWEEP_MS_MAX = 30_000;
const swept = (): Promise<void> =>
  eventually(
    async () => {
      const living = new Set(alive().map(({ pid }) => String(pid)));
      const containers = await connectEngine(engine.endpoint).listContainers({ all: true });
      const orphans = containers.filter(({ Labels }) => !living.has(Labels[LABEL_WORKER]?.split('-').at(-2) ?? ''));
      if (orphans.length > 0) throw new Error(`${orphans.length} containers of dead workers are left`);
    },
    { timeoutMs: SWEEP_MS_MAX },
  );

const people = new People();
try {
  await Promise.all(ROLES.map((_, index) => start(index)));
  await people.begin(() => {
    const apis = processes.slice(0, 2).filter((each) => each?.alive);
    const chosen = apis[Math.floor(Math.random() * apis.length)];
    if (!chosen?.url) throw new Error('no API is up');
    return chosen.url;
  }, 'sleep 0.5');
  await delay(5 * QUIET_MS);
  const { version } = await askEngine(connectEngine(engine.endpoint), undefined);
  console.log(
    `Docker ${version}; ${availableParallelism()} cores, load ${loadavg()[0]?.toFixed(1)}; ${ROUNDS} rounds each`,
  );
  console.log('seconds, median (worst)\n               back          goes on        healed');
  const asked = process.env['FAULTS']?.split(',') ?? Object.keys(FAULTS);
  const met: boolean[] = [];
  for (const name of asked) {
    const rounds: Round[] = [];
    for (let count = 0; count < ROUNDS; count += 1) rounds.push(await round(FAULTS[name]!));
    const figure = (of: keyof Round): string => {
      const values = rounds.map((each) => (Number.isNaN(each[of]) ? ROUND_MS_MAX : each[of]));
      return `${(median(values) / 1_000).toFixed(2)} (${(Math.max(...values) / 1_000).toFixed(2)})`.padEnd(14);
    };
    const target = TARGETS[name];
    const isMet = target === undefined || median(rounds.map(({ goesOn }) => goesOn)) <= target;
    met.push(isMet);
    const verdict = target === undefined ? '' : `goes on <= ${target / 1_000} ${isMet ? 'met' : 'MISSED'}`;
    console.log(name.padEnd(14), figure('back'), figure('goesOn'), figure('healed'), verdict);
  }
  process.exitCode = met.every(Boolean) ? 0 : 1;
} finally {
  await people.stop();
  if (process.env['VERBOSE']) await describeLast();
  // Living workers remove the containers of dead ones.
  await swept().catch((error: unknown) => console.error(error));
  await Promise.all(alive().map((each) => each.terminate()));
  await service.close().catch((error: unknown) => console.error(error));
  await engine.remove();
  await Promise.all([nats.remove(), redis.stop(), postgres.remove()]);
}
