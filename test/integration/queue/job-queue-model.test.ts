import fc from 'fast-check';

import { ignoreErrors } from '../../../src/platform/async/ignore-errors.js';
import { silentLog } from '../../../src/platform/telemetry/log.js';
import { type Job, jobId, type JobQueue, type ReservedJob } from '../../../src/queue/job-queue.js';
import { RedisJobQueue } from '../../../src/queue/redis-job-queue.js';
import { InMemoryJobQueue } from '../../support/in-memory-job-queue.js';
import { expectNoKeysLeft, type TestRedis, testRedis } from '../../support/redis.js';

const LEASE_MS = 3_600_000;
const FAR_MS = 3_600_000;

/** The names in a step are small numbers, so that steps meet: job 3 is enqueued, leased, expired, enqueued again. */
type Step =
  | { type: 'enqueue'; job: number; user: number; priority: number; delayed: boolean }
  | { type: 'reserve' }
  | { type: 'complete' | 'release' | 'expire' | 'heartbeat' | 'restore'; lease: number }
  | { type: 'restoreLost'; job: number; user: number; priority: number }
  | { type: 'cancel'; job: number }
  | { type: 'flush' };

const job = fc.nat(11);
const user = fc.nat(3);
const priority = fc.constantFrom(0, 5, 9, 10);
const seldom = fc.nat(4).map((n) => n === 0);
const onLease = fc.constantFrom('complete' as const, 'release' as const, 'expire' as const, 'restore' as const);

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 40, arbitrary: fc.record({ type: fc.constant('enqueue'), job, user, priority, delayed: seldom }) },
  { weight: 40, arbitrary: fc.record({ type: fc.constant('reserve') }) },
  { weight: 30, arbitrary: fc.record({ type: onLease, lease: fc.nat(30) }) },
  { weight: 5, arbitrary: fc.record({ type: fc.constant('heartbeat'), lease: fc.nat(30) }) },
  { weight: 5, arbitrary: fc.record({ type: fc.constant('restoreLost'), job, user, priority }) },
  { weight: 10, arbitrary: fc.record({ type: fc.constant('cancel'), job }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('flush') }) },
) as fc.Arbitrary<Step>;

const ALL_JOBS = Array.from({ length: 12 }, (_, at) => ({ executionId: `execution-${at}`, attempt: 1 }));

/** One queue and the leases it has granted; the results of a step are compared between the two. */
class Subject {
  readonly #leases: ReservedJob[] = [];

  constructor(
    readonly queue: JobQueue,
    readonly flush: () => unknown,
  ) {}

  async apply(step: Step): Promise<unknown> {
    const { queue } = this;
    switch (step.type) {
      case 'enqueue':
        return queue.enqueue({ ...jobOf(step), notBefore: step.delayed ? Date.now() + FAR_MS : undefined });
      case 'reserve':
        return this.#reserve();
      case 'restoreLost':
        return this.#restoreLost({ ...jobOf(step), leaseToken: `lost-${step.job}`, enqueuedAt: 1_000 });
      case 'cancel':
        return queue.cancel(ALL_JOBS[step.job]!);
      case 'flush':
        await this.flush();
        return undefined;
      default:
        return this.#onLease(step);
    }
  }

  async observe(): Promise<unknown> {
    const { waiting, delayed, leased } = await this.queue.stats();
    return { waiting, delayed, leased, states: await this.queue.inspect(ALL_JOBS) };
  }

  async empty(): Promise<void> {
    for (const lease of this.#leases) await this.queue.complete(lease);
    for (const id of ALL_JOBS) await this.queue.cancel(id);
  }

  async #reserve(): Promise<unknown> {
    const reserved = await this.queue.reserve({ workerId: 'w', leaseMs: LEASE_MS, waitMs: 0 });
    if (reserved) this.#leases.push(reserved);
    return reserved && { id: jobId(reserved), userId: reserved.userId, priority: reserved.priority };
  }

  async #restoreLost(lease: ReservedJob): Promise<boolean> {
    this.#leases.push(lease);
    return this.queue.restoreLease(lease, 'w', LEASE_MS);
  }

  async #onLease(step: Extract<Step, { lease: number }>): Promise<unknown> {
    const lease = this.#leases[step.lease % Math.max(1, this.#leases.length)];
    if (!lease) return 'no lease yet';
    switch (step.type) {
      case 'complete':
        return this.queue.complete(lease);
      case 'release':
        return this.queue.release(lease);
      case 'heartbeat':
        return this.queue.heartbeat(lease, LEASE_MS);
      case 'restore':
        return this.queue.restoreLease(lease, 'w', LEASE_MS);
      case 'expire':
        // The cancel forces a change that would otherwise happen at a time on which two clocks need not agree.
        return [await this.queue.heartbeat(lease, 0), await this.queue.cancel(lease)];
    }
  }
}

const jobOf = (step: { job: number; user: number; priority: number }): Job => ({
  ...ALL_JOBS[step.job]!,
  userId: `user-${step.user}`,
  priority: step.priority,
});

describe('RedisJobQueue, compared with the in-memory model', () => {
  let service: TestRedis;
  let runs = 0;
  beforeAll(async () => {
    service = await testRedis();
  });
  afterAll(() => service.close());

  it('returns the same results for random operations, and leaves no key behind', async () => {
    const limits = fc.record({ userConcurrencyMax: fc.integer({ min: 1, max: 3 }) });
    await fc.assert(
      fc.asyncProperty(
        limits,
        fc.array(step, { maxLength: 60, size: 'max' }),
        async ({ userConcurrencyMax }, steps) => {
          const { redis } = service;
          runs += 1;
          const namespace = `${service.namespace}-${runs}`;
          const options = { userConcurrencyMax, ageingIntervalMs: FAR_MS };
          const fake = new InMemoryJobQueue(options);
          const model = new Subject(fake, () => fake.flush());
          const real = new Subject(new RedisJobQueue({ redis, namespace, ...options, log: silentLog }), () =>
            ignoreErrors(expectNoKeysLeft(redis, namespace), 'keys are expected, and deleted'),
          );
          for (const one of steps) {
            expect(await real.apply(one)).toEqual(await model.apply(one));
            expect(await real.observe()).toEqual(await model.observe());
          }
          await real.empty();
          await expectNoKeysLeft(redis, namespace);
        },
      ),
      { numRuns: 80 },
    );
  });
});
