import { randomBytes } from 'node:crypto';

import { ApiClient } from '../../test/support/api-client.js';
import build from '../../test/support/build.js';
import { type ChildService, startChildService } from '../../test/support/child-service.js';
import { prepareTestService } from '../../test/support/service.js';
import { peakMib, residentMib } from '../figures.js';

/**
 * What inputs of 16 MiB cost: the growth of the API's process while twenty users send one each at the same time, the
 * longest pause of its event loop for one of them, and the growth of a worker's process that runs one.
 */
const USERS = 20;
const ROUNDS = 3;
const MIB = 1024 ** 2;
const INPUT_BYTES = 16 * MIB;
const TESTS = 500;
const GROWTH_MIB_MAX = 400;
const PAUSE_MS_MAX = 250;

/** Prints figures of its process on a signal. */
const PROBE = `
import { monitorEventLoopDelay } from 'node:perf_hooks';
const delay = monitorEventLoopDelay({ resolution: 2 });
delay.enable();
let used = process.threadCpuUsage();
process.on('SIGUSR2', () => {
  const { user, system } = process.threadCpuUsage(used);
  used = process.threadCpuUsage();
  console.log(JSON.stringify({ msg: 'probe', pause_ms: delay.max / 1e6, cpu_ms: (user + system) / 1e3 }));
  delay.reset();
});`;

interface Probe {
  readonly pause_ms: number;
  /** Of the thread that runs the event loop. */
  readonly cpu_ms: number;
}

const probes: ((figures: Probe) => void)[] = [];
const onLine = (line: string): void => {
  if (line.startsWith('{"msg":"probe"')) probes.shift()?.(JSON.parse(line) as Probe);
};

/** Since the last call. */
function probed(pid: number): Promise<Probe> {
  const { promise, resolve } = Promise.withResolvers<Probe>();
  probes.push(resolve);
  process.kill(pid, 'SIGUSR2');
  return promise;
}

const program = { name: 'input', script_type: 'bash', script_content: 'wc -c data.bin' } as const;
const file = { path: 'data.bin', content: randomBytes(INPUT_BYTES).toString('base64'), encoding: 'base64' };
const half = 'x'.repeat(Math.floor(INPUT_BYTES / TESTS / 2));
/** Sent as they are: the sender must not serialise them twenty times. */
const WITH_FILE = JSON.stringify({ input: { files: [file] }, executor: 'external' });
const WITH_TESTS = JSON.stringify({
  ...program,
  tests: Array.from({ length: TESTS }, () => ({ stdin: half, expected_stdout: half })),
});
const TO_RUN = JSON.stringify({ ...program, input: { files: [file] } });

await build();
const installation = await prepareTestService({ SERVER_CONNECTIONS_PER_ADDRESS: '1000' });
const roles = (VOIDRUNNER_ROLES: string): Promise<ChildService> =>
  startChildService(
    { ...installation.env, VOIDRUNNER_ROLES },
    { imports: [`data:text/javascript,${encodeURIComponent(PROBE)}`], onLine },
  );
const api = await roles('api,relay,projector,orchestrator');
let worker: ChildService | undefined;
let isMet = true;
const report = (what: string, value: number, max: number, unit: string): void => {
  isMet &&= value < max;
  console.log(`${what}: ${value.toFixed(0)} ${unit} (target: below ${max}, ${value < max ? 'met' : 'MISSED'})`);
};
try {
  const clients = await Promise.all(Array.from({ length: USERS }, () => ApiClient.register(() => api.url!)));
  const tasks = await Promise.all(clients.map((client) => client.createTask({ ...program, max_parallel: 100 })));
  const send = async (client: ApiClient, path: string, json: string): Promise<string> => {
    const { status, body } = await client.request<{ id: string }>('POST', path, json);
    if (status !== 201) throw new Error(`${status} ${JSON.stringify(body).slice(0, 500)}`);
    return body.id;
  };
  const bodies = [
    ['one file in base64', WITH_FILE, (index: number) => `/tasks/${tasks[index]!.id}/executions`],
    [`${TESTS} tests`, WITH_TESTS, () => '/tasks'],
  ] as const;
  for (const [what, json, pathOf] of bodies) {
    console.log(`${what}, ${(json.length / MIB).toFixed(1)} MiB`);
    const idle = await residentMib(api.pid);
    await probed(api.pid);
    const pauses: number[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      const peak = await peakMib(api.pid, () => send(clients[0]!, pathOf(0), json));
      const { pause_ms, cpu_ms } = await probed(api.pid);
      pauses.push(pause_ms);
      console.log(`  one: +${(peak - idle).toFixed(0)} MiB, ${cpu_ms.toFixed(0)} ms of CPU`);
    }
    // Other processes can only make it longer.
    report('  longest pause', Math.min(...pauses), PAUSE_MS_MAX, 'ms');
    for (let round = 0; round < ROUNDS; round += 1) {
      const peak = await peakMib(api.pid, () =>
        Promise.all(clients.map((client, index) => send(client, pathOf(index), json))),
      );
      const { pause_ms } = await probed(api.pid);
      console.log(`  ${USERS} at once: peak ${peak.toFixed(0)} MiB, longest pause ${pause_ms.toFixed(0)} ms`);
      report('  growth', peak - idle, GROWTH_MIB_MAX, 'MiB');
    }
  }
  worker = await roles('worker');
  const run = async (): Promise<void> => {
    const { status } = await clients[0]!.follow(await send(clients[0]!, '/executions', TO_RUN));
    if (status !== 'completed') throw new Error(status);
  };
  for (let round = 0; round < ROUNDS; round += 1) {
    const before = await residentMib(worker.pid);
    const peak = await peakMib(worker.pid, run);
    console.log(`worker, one run: ${before.toFixed(0)} MiB, +${(peak - before).toFixed(0)}`);
  }
} finally {
  await worker?.end();
  await api.end();
  await installation.close();
}
process.exitCode = isMet ? 0 : 1;
