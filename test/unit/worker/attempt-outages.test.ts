import { DomainError, Unavailable } from '../../../src/kernel/errors.js';
import { SandboxFailure } from '../../../src/sandbox/sandbox.js';
import { AttemptWorld } from '../../support/attempt-world.js';
import { EXECUTION_ID } from '../../support/builders/tasks.js';
import { exits } from '../../support/scripted-sandbox.js';

const ENDS = ['ExecutionSucceeded', 'ExecutionFailed', 'ExecutionTimedOut', 'ExecutionDeadLettered'];

let world: AttemptWorld;
beforeEach(async () => {
  world = new AttemptWorld();
  await world.waiting();
});

const away = (): never => {
  throw new Unavailable('postgres', 'away');
};

/** An outage that ends after that many calls. */
const awayFor = (calls: number) => () => {
  calls -= 1;
  if (calls >= 0) away();
};

const endsOf = async (): Promise<string[]> =>
  (await world.lifecycle.run()).map(({ type }) => type).filter((type) => ENDS.includes(type));

describe('Postgres unavailable', () => {
  test('after the run: the result is recorded once, after the outage', async () => {
    world.sandbox.program = (...run) => {
      world.lifecycle.store.before = awayFor(3);
      return exits(0, 'worth waiting for')(...run);
    };
    expect(await world.attempt()).toBe('succeeded');
    expect(await endsOf()).toEqual(['ExecutionSucceeded']);
    expect(await world.jobState()).toBe('missing');
  });

  test('after the run: outputs are stored once, under the same ids', async () => {
    world.sandbox.program = (...run) => {
      world.payloads.before = awayFor(3);
      return exits(0, 'out', 'err')(...run);
    };
    expect(await world.attempt()).toBe('succeeded');
    expect([...world.payloads.stored.values()].map(({ kind }) => kind).sort()).toEqual(['script', 'stderr', 'stdout']);
  });

  test('while the result is recorded: the lost response causes no second end', async () => {
    world.sandbox.program = (...run) => {
      world.lifecycle.store.appended = awayFor(1);
      return exits(0)(...run);
    };
    expect(await world.attempt()).toBe('dropped');
    expect(await endsOf()).toEqual(['ExecutionSucceeded']);
  });

  test('at the start: the attempt waits for it', async () => {
    world.lifecycle.store.before = awayFor(3);
    expect(await world.attempt()).toBe('succeeded');
  });

  test('while the start is recorded: the attempt still runs, once', async () => {
    world.lifecycle.store.appended = awayFor(1);
    expect(await world.attempt()).toBe('succeeded');
    expect(world.sandbox.jobs).toHaveLength(1);
    expect(await world.newest(2)).toEqual(['ExecutionAttemptStarted', 'ExecutionSucceeded']);
  });

  test('at the start, until the worker shuts down: the job is released, and nothing was started', async () => {
    world.lifecycle.store.before = away;
    const attempt = world.attempt();
    world.tell('shutdown');
    expect(await attempt).toBe('released');
    world.lifecycle.store.before = () => undefined;
    expect(await world.newest(1)).toEqual(['ExecutionRequested']);
    expect(await world.jobState()).toBe('waiting');
  });

  test('while the script is read: the attempt waits for it', async () => {
    world.payloads.before = awayFor(2);
    expect(await world.attempt()).toBe('succeeded');
  });

  test('while the script is read, until the worker shuts down: the attempt does not count', async () => {
    world.payloads.before = (call) => {
      if (call !== 'get') return;
      world.tell('shutdown');
      away();
    };
    expect(await world.attempt()).toBe('released');
    expect(await world.newest(1)).toEqual(['ExecutionAttemptReleased']);
  });

  test('for longer than the worker may stay: the attempt is abandoned', async () => {
    world.sandbox.program = (...run) => {
      world.lifecycle.store.before = away;
      world.abandon.abort();
      return exits(0)(...run);
    };
    await expect(world.attempt()).rejects.toThrow(Unavailable);
  });
});

describe('the engine', () => {
  test('unavailable before the program started: the attempt is released, and does not count', async () => {
    world.sandbox.program = () => {
      world.sandbox.healthy = false;
      return Promise.reject(new SandboxFailure('cannot connect', false));
    };
    expect(await world.attempt()).toBe('released');
    expect((await world.lifecycle.run()).at(-1)).toMatchObject({ data: { attempt: 1, why: 'cannot connect' } });
    expect(await world.jobState()).toBe('waiting');
  });

  test.each([
    ['available, but the image is missing', true, false],
    ['available, but the run failed', true, true],
    ['unavailable after the program started', false, true],
  ])('%s: the attempt counts', async (_, healthy, countsAsAttempt) => {
    world.sandbox.program = () => {
      world.sandbox.healthy = healthy;
      return Promise.reject(new SandboxFailure('no such image', countsAsAttempt));
    };
    expect(await world.attempt()).toBe('failed');
    expect((await world.lifecycle.run()).slice(-2)).toMatchObject([
      { type: 'ExecutionAttemptFailed', data: { reason: 'infrastructure', detail: 'no such image', result: null } },
      { type: 'ExecutionRetryScheduled', data: { attempt: 2 } },
    ]);
  });

  test('refuses the job because of its content: the attempt counts', async () => {
    world.sandbox.program = () => Promise.reject(new DomainError('invalid_path', 'no such path', 'invalid'));
    expect(await world.attempt()).toBe('failed');
    expect((await world.lifecycle.run()).at(-2)).toMatchObject({ data: { detail: 'no such path' } });
  });
});

describe('Redis unavailable when the job is completed or released', () => {
  test('it is done once Redis is back', async () => {
    const { complete } = world.queue;
    const outage = awayFor(2);
    world.queue.complete = async (job) => {
      outage();
      return complete.call(world.queue, job);
    };
    expect(await world.attempt()).toBe('succeeded');
    expect(await world.jobState()).toBe('missing');
  });
});

test('a bug is thrown, and nothing is reported about the run', async () => {
  world.sandbox.program = () => Promise.reject(new TypeError('undefined is not a function'));
  await expect(world.attempt()).rejects.toThrow(TypeError);
  expect(await world.newest(1)).toEqual(['ExecutionAttemptStarted']);
});

test('the queue time starts when the job could be reserved', async () => {
  const job = await world.reserve();
  const now = Date.now();
  await world.runner.run(
    { ...job, enqueuedAt: now - 60_000, notBefore: now + 60_000 },
    { stop: world.stop.signal, abandon: world.abandon.signal },
  );
  const started = (await world.lifecycle.run()).find(({ type }) => type === 'ExecutionAttemptStarted');
  expect(started).toMatchObject({ data: { queued_ms: 0 } });
  expect(world.sandbox.jobs).toMatchObject([{ executionId: EXECUTION_ID }]);
});
