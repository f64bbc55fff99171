import { ApiClient } from '../support/api-client.js';
import { eventually } from '../support/eventually.js';
import { type FaultyProcess, leaderOf, startProcess } from '../support/faults-process.js';
import { expectHealed, QUICK } from '../support/faults.js';
import { prepareTestService, type TestService } from '../support/service.js';

/** Each client handles one task and its execution after the other. */
const PEOPLE = 4;
const READS = 4;
/** Tasks that were observed from creation to deletion since a fault. */
const LIVES_PER_FAULT = 8;

let service: TestService;
let client: ApiClient;
let apis: FaultyProcess[];
let projectors: FaultyProcess[];

const startProjector = () => startProcess(service, { VOIDRUNNER_ROLES: 'projector' });

beforeAll(async () => {
  service = await prepareTestService({ ...QUICK, SERVER_OWN_WRITES_TIMEOUT: '50ms' });
  const api = { VOIDRUNNER_ROLES: 'api,relay,orchestrator,sealer' };
  apis = await Promise.all([startProcess(service, api), startProcess(service, api)]);
  projectors = await Promise.all([startProjector(), startProjector()]);
  client = await ApiClient.register(() => apis[Math.floor(Math.random() * apis.length)]!.url!);
});

afterAll(async () => {
  await Promise.all([...apis, ...projectors].filter(({ alive }) => alive).map((process) => process.terminate()));
  await service.close();
});

interface Shown {
  readonly id: string;
  readonly status: string;
  readonly version: number;
}

/** In the order in which an execution reaches them. */
const STAGES = ['pending', 'running', 'completed'];

/** A client reads what it was told of: from either process, the object exists and never goes back to an older state. */
class Reader {
  lives = 0;
  readonly faults: unknown[] = [];
  private stopped = false;
  private readonly gone = Promise.all(Array.from({ length: PEOPLE }, () => this.live()));

  async more(count: number): Promise<void> {
    const wanted = this.lives + count;
    await eventually(() => expect(this.lives).toBeGreaterThanOrEqual(wanted), { timeoutMs: 60_000 });
  }

  async stop(): Promise<void> {
    this.stopped = true;
    await this.gone;
  }

  private async live(): Promise<void> {
    while (!this.stopped) {
      const task = await this.acknowledged('POST', '/tasks', {
        name: 'read me',
        script_type: 'bash',
        script_content: ':',
      });
      await this.expectShown(`/tasks/${task.id}`, 'pending');
      const run = await this.acknowledged('POST', `/tasks/${task.id}/executions`, { executor: 'external' });
      for (const stage of STAGES) {
        const report = { status: stage, ...(stage === 'completed' && { return_code: 0 }) };
        if (stage !== 'pending') await this.acknowledged('PUT', `/executions/${run.id}`, report);
        await this.expectShown(`/executions/${run.id}`, stage);
        await this.expectShown(`/tasks/${task.id}`, stage === 'completed' ? 'completed' : 'running');
      }
      await this.acknowledged('DELETE', `/tasks/${task.id}`);
      const gone = await client.request('GET', `/tasks/${task.id}`);
      if (gone.status !== 404) this.faults.push({ deleted: task.id, gone });
      this.lives += 1;
    }
  }

  private async acknowledged(method: string, path: string, body?: unknown): Promise<Shown> {
    const answer = await client.request<Shown>(method, path, body);
    if (answer.status >= 300) this.faults.push({ method, path, answer });
    return answer.body;
  }

  /** Several times, from one process or the other: a response must not be older than an earlier one of either. */
  private async expectShown(path: string, status: string): Promise<void> {
    for (let read = 0; read < READS; read += 1) {
      const answer = await client.request<Shown>('GET', path);
      if (answer.status !== 200 || answer.body.status !== status) this.faults.push({ path, expected: status, answer });
    }
  }
}

test('while the projector is killed, suspended and absent, no acknowledged write is missing or reverts', async () => {
  const reader = new Reader();
  await reader.more(1);
  // The standby takes over.
  await (await leaderOf(projectors, 'projector')).kill();
  await reader.more(LIVES_PER_FAULT);
  // No process is left to take over.
  await (await leaderOf(projectors, 'projector')).kill();
  await reader.more(LIVES_PER_FAULT);
  projectors.push(await startProjector());
  // It leads, and applies nothing.
  const frozen = await leaderOf(projectors, 'projector');
  frozen.freeze();
  await reader.more(LIVES_PER_FAULT);
  frozen.thaw();
  await reader.more(1);
  await reader.stop();
  expect(reader.faults).toEqual([]);
  await expectHealed(service);
}, 300_000);
