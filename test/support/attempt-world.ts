import type { DomainEvent } from '../../src/event-sourcing/core/event.js';
import { silentLog } from '../../src/platform/telemetry/log.js';
import { Observations } from '../../src/platform/telemetry/observations.js';
import type { ReservedJob } from '../../src/queue/job-queue.js';
import type { ExecutionSpec } from '../../src/tasks/domain/execution-events.js';
import { executionStream } from '../../src/tasks/domain/execution-state.js';
import { AttemptRunner, type StopReason } from '../../src/worker/attempt-runner.js';
import { LivePublisher } from '../../src/worker/live-publisher.js';
import { requested, WORKER } from './builders/executions.js';
import { OWNER_ID } from './builders/people.js';
import { EXECUTION_ID, executionStarted, SCRIPT, taskCreated } from './builders/tasks.js';
import { declaredRuntimes } from './declared-runtimes.js';
import { InMemoryJobQueue } from './in-memory-job-queue.js';
import { InMemoryLiveOutput } from './in-memory-live-output.js';
import { InMemoryPayloadStore } from './in-memory-payload-store.js';
import { Lifecycle } from './lifecycle.js';
import { exits, ScriptedSandbox } from './scripted-sandbox.js';

/** Longer than any test. */
export const LEASE_MS = 3_600_000;

/** The surroundings of one worker, in memory: a task, its script, and a queue. */
export class AttemptWorld {
  readonly lifecycle = new Lifecycle();
  readonly queue = new InMemoryJobQueue({ userConcurrencyMax: 100, ageingIntervalMs: LEASE_MS });
  readonly payloads = new InMemoryPayloadStore();
  readonly sandbox = new ScriptedSandbox(exits(0));
  readonly live = new InMemoryLiveOutput();
  readonly runner = new AttemptRunner({
    workerId: WORKER,
    commands: this.lifecycle.bus,
    queue: this.queue,
    payloads: this.payloads,
    runtimes: declaredRuntimes,
    sandbox: this.sandbox,
    live: new LivePublisher(this.live, silentLog),
    suiteTimeoutMs: LEASE_MS,
    observed: new Observations(),
  });
  readonly stop = new AbortController();
  readonly abandon = new AbortController();

  constructor() {
    this.payloads.stored.set(SCRIPT.payload_id, { ownerId: OWNER_ID, kind: 'script', content: Buffer.from('script') });
  }

  /** A task with one execution, after these events, and the job of its next attempt in the queue. */
  async waiting(changes: Partial<ExecutionSpec> = {}, ...since: DomainEvent[]): Promise<void> {
    await this.lifecycle.given({ task: [taskCreated(), executionStarted()], run: [requested(changes), ...since] });
    await this.enqueue();
  }

  async enqueue(executionId = EXECUTION_ID, attempt = 1): Promise<void> {
    await this.queue.enqueue({ executionId, attempt, userId: OWNER_ID, priority: 5 });
  }

  /** Adds another execution of the same task. */
  async another(executionId: string): Promise<void> {
    await this.lifecycle.store.add(executionStream(executionId), requested({ execution_id: executionId }));
    await this.enqueue(executionId);
  }

  async reserve(): Promise<ReservedJob> {
    const job = await this.queue.reserve({ workerId: WORKER, leaseMs: LEASE_MS, waitMs: 0 });
    if (job === null) throw new Error('no job to reserve');
    return job;
  }

  /** Reserves, runs and finishes one attempt, as a slot of the worker does. */
  async attempt() {
    const job = await this.reserve();
    const end = await this.runner.run(job, { stop: this.stop.signal, abandon: this.abandon.signal });
    await this.runner.finishJob(job, end, this.abandon.signal);
    return end;
  }

  tell(reason: StopReason): void {
    this.stop.abort(reason);
  }

  async jobState(attempt = 1): Promise<string> {
    const [state] = await this.queue.inspect([{ executionId: EXECUTION_ID, attempt }]);
    return state!;
  }

  /** The types of the execution's newest events. */
  async newest(count: number): Promise<string[]> {
    return (await this.lifecycle.run()).slice(-count).map(({ type }) => type);
  }
}
