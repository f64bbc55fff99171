/**
 * Question: how much do accounts, validation, the log and encrypted payloads add to a request?
 * Authenticated `GET /tasks/{id}` and `POST /tasks` per second, against a bare Nest + Fastify route that does one
 * SELECT or one INSERT: same tables, pool and response size, each in its own process, rounds interleaved, medians. The
 * service runs the API, the relay and the projector (a POST waits for the read models); no limits, default telemetry.
 * Run: npm run bench -- api   (ROUNDS=7 ROUND_S=2 by default)
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';

import { API_BASE } from '../../src/http/api-path.js';
import { ApiClient, call } from '../../test/support/api-client.js';
import build from '../../test/support/build.js';
import { freePort } from '../../test/support/free-port.js';
import { prepareTestService } from '../../test/support/service.js';
import { median } from '../figures.js';
import { type Contender, round, type Round, startServer } from './contender.js';

const ROUNDS = Number(process.env.ROUNDS ?? 7);
const ROUND_S = Number(process.env.ROUND_S ?? 2);
const CONNECTIONS = [1, 16, 64];
/** Minimum share of the bare route's requests per second, with the largest number of connections. */
const RATIO_MIN = { GET: 0.7, POST: 0.5 } as const;
const TASKS = 100;

const TASK = {
  name: 'nightly report',
  description: 'sums up the day',
  script_type: 'python',
  script_content: `print("sum of the day")\n${'# a line of a script as long as scripts are\n'.repeat(12)}`,
  priority: 5,
  metadata: { team: 'data' },
};
/** The fields that a response adds to the task. */
const DEFAULTS = {
  timeout_seconds: 300,
  max_parallel: 1,
  retry: { max_attempts: 3, initial_delay_ms: 1000, backoff_factor: 2, max_delay_ms: 60000, retry_on: ['timeout'] },
  limits: { memory_mb: 256, cpus: 1, pids: 64 },
};

async function createTasks(url: string, headers: Record<string, string>, newTask: string): Promise<string[]> {
  const ids: string[] = [];
  for (let count = 0; count < TASKS; count += 1) {
    const { status, body } = await call<{ id: string }>(`${url}/tasks`, 'POST', newTask, headers);
    if (status !== 201) throw new Error(`${url} responds with ${status}: ${JSON.stringify(body)}`);
    ids.push(body.id);
  }
  return ids;
}

/** @returns whether the target is met; only the largest number of connections has one */
async function compare(
  method: 'GET' | 'POST',
  connections: number,
  bare: Contender,
  ours: Contender,
): Promise<boolean> {
  const options = { method, connections, seconds: ROUND_S };
  const rounds: { bare: Round[]; ours: Round[] } = { bare: [], ours: [] };
  await round(bare, options);
  await round(ours, options);
  for (let count = 0; count < ROUNDS; count += 1) {
    rounds.bare.push(await round(bare, options));
    rounds.ours.push(await round(ours, options));
  }
  const figure = (of: Round[], name: keyof Round): number => median(of.map((each) => each[name]));
  const [peer, service] = [figure(rounds.bare, 'perSecond'), figure(rounds.ours, 'perSecond')];
  const ratio = service / peer;
  const target = connections === CONNECTIONS.at(-1) ? RATIO_MIN[method] : undefined;
  const met = target === undefined || ratio >= target;
  const cells = [
    method.padEnd(5),
    String(connections).padStart(11),
    peer.toFixed(0).padStart(7),
    service.toFixed(0).padStart(8),
    ratio.toFixed(2).padStart(6),
    `${figure(rounds.bare, 'p99').toFixed(0)} ms`.padStart(9),
    `${figure(rounds.ours, 'p99').toFixed(0)} ms`.padStart(12),
    target === undefined ? '' : `>= ${target} ${met ? 'met' : 'MISSED'}`,
  ];
  console.log(cells.join(' '));
  return met;
}

await build();
const folder = await mkdtemp(join(tmpdir(), 'voidrunner-bench-'));
const installation = await prepareTestService({ SERVER_OWN_WRITES_TIMEOUT: '1s' });
const { database } = installation;
const servers: { readonly stop: () => Promise<void> }[] = [];
try {
  await database.ownerPool.query('create table public.bare_tasks (like read.tasks including all)');
  await database.ownerPool.query(`grant select, insert on public.bare_tasks to ${database.app.user}`);
  const [port, barePort, metricsPort] = [await freePort(), await freePort(), await freePort()];
  const urls = { ours: `http://127.0.0.1:${port}/${API_BASE}`, bare: `http://127.0.0.1:${barePort}` };
  const env = { ...installation.env, LOG_LEVEL: 'info', NODE_OPTIONS: '' };
  servers.push(
    await startServer(
      ['--import', './dist/telemetry.js', 'dist/main.js'],
      {
        ...env,
        SERVER_PORT: String(port),
        METRICS_PORT: String(metricsPort),
        VOIDRUNNER_ROLES: 'api,relay,projector',
      },
      { folder, name: 'service', readyUrl: `${urls.ours}/health` },
    ),
    await startServer(['--import', '@swc-node/register/esm-register', 'bench/api/peer.ts', String(barePort)], env, {
      folder,
      name: 'bare',
      readyUrl: `${urls.bare}/`,
    }),
  );
  const client = await ApiClient.register(() => `http://127.0.0.1:${port}`);
  const authorization = `Bearer ${client.accessToken}`;
  const newTask = {
    ours: JSON.stringify(TASK),
    bare: JSON.stringify({ ...TASK, ...DEFAULTS, owner_id: client.user.id }),
  };
  const bare = {
    url: urls.bare,
    headers: {},
    ids: await createTasks(urls.bare, {}, newTask.bare),
    newTask: newTask.bare,
  };
  const ours: Contender = {
    url: urls.ours,
    headers: { authorization },
    ids: await createTasks(urls.ours, { authorization }, newTask.ours),
    newTask: newTask.ours,
  };
  const bytes = async ({ url, headers, ids }: Contender) =>
    JSON.stringify((await call(`${url}/tasks/${ids[0]}`, 'GET', undefined, headers)).body).length;
  const load = loadavg()[0]?.toFixed(1);
  console.log(
    `${availableParallelism()} cores, load ${load}; responses of ${await bytes(bare)} and ${await bytes(ours)} bytes`,
  );
  console.log(`requests/s, medians of ${ROUNDS} rounds of ${ROUND_S} s`);
  console.log('      connections    bare  service  ratio  bare p99  service p99');
  // Warms up both: their code is compiled before the measurement.
  const warmUp = { connections: CONNECTIONS.at(-1)!, seconds: ROUND_S };
  for (const method of ['GET', 'POST'] as const) {
    for (const contender of [bare, ours, bare, ours]) await round(contender, { ...warmUp, method });
  }
  const met: boolean[] = [];
  for (const method of ['GET', 'POST'] as const) {
    for (const connections of CONNECTIONS) met.push(await compare(method, connections, bare, ours));
  }
  process.exitCode = met.every(Boolean) ? 0 : 1;
} finally {
  for (const server of servers) await server.stop();
  await installation.close();
  await rm(folder, { recursive: true, force: true });
}
