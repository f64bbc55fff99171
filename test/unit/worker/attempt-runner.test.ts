import { deterministicId } from '../../../src/kernel/uuid.js';
import { SandboxFailure } from '../../../src/sandbox/sandbox.js';
import { encodeExecutionInput } from '../../../src/tasks/domain/execution-input.js';
import { AttemptWorld } from '../../support/attempt-world.js';
import * as command from '../../support/builders/execution-commands.js';
import * as event from '../../support/builders/executions.js';
import { OWNER_ID } from '../../support/builders/people.js';
import { RETRY, EXECUTION_ID, executionFinished, SCRIPT } from '../../support/builders/tasks.js';
import { runtimeOf } from '../../support/declared-runtimes.js';
import { anOutcome, exits, runsUntilKilled } from '../../support/scripted-sandbox.js';

let world: AttemptWorld;
beforeEach(() => {
  world = new AttemptWorld();
});

describe('a program that succeeds', () => {
  test('has its result recorded, its output stored, and its job completed', async () => {
    await world.waiting();
    world.sandbox.program = exits(0, 'hello\n');
    expect(await world.attempt()).toBe('succeeded');
    const stdout = deterministicId(EXECUTION_ID, 1, 'stdout');
    expect((await world.lifecycle.run()).slice(-2)).toMatchObject([
      { type: 'ExecutionAttemptStarted', data: { attempt: 1, worker: event.WORKER } },
      {
        type: 'ExecutionSucceeded',
        data: {
          attempt: 1,
          result: {
            return_code: 0,
            stdout: { payload: { payload_id: stdout, bytes: 6 }, bytes_total: 6, truncated: false },
            stderr: { payload: null, bytes_total: 0, truncated: false },
            wall_time_ms: 20,
          },
        },
      },
    ]);
    expect((await world.lifecycle.task()).at(-1)).toEqual(executionFinished('completed'));
    expect(world.payloads.stored.get(stdout)).toEqual({
      ownerId: OWNER_ID,
      kind: 'stdout',
      content: Buffer.from('hello\n'),
    });
    expect(await world.jobState()).toBe('missing');
  });

  test('gets what its execution was requested with', async () => {
    const input = {
      stdin: Buffer.from('in'),
      args: ['-v'],
      env: { KEY: 'value' },
      files: [{ path: 'a/b', content: Buffer.from([0, 255]) }],
    };
    const ref = await world.payloads.put({
      payloadId: deterministicId('input'),
      ownerId: OWNER_ID,
      kind: 'input',
      content: encodeExecutionInput(input),
    });
    await world.waiting({ input: ref, timeout_seconds: 7, script_type: 'bash' });
    await world.attempt();
    expect(world.sandbox.jobs).toEqual([
      {
        executionId: EXECUTION_ID,
        attempt: 1,
        userId: OWNER_ID,
        runtime: runtimeOf('bash'),
        imageDigest: null,
        script: Buffer.from('script'),
        input: {
          stdin: Buffer.from('in'),
          args: ['-v'],
          env: { KEY: 'value' },
          files: [{ path: 'a/b', content: Buffer.from([0, 255]) }],
        },
        limits: { memory_mb: 256, cpus: 1, pids: 64 },
        timeoutMs: 7_000,
      },
    ]);
  });
});

describe('the image of an execution', () => {
  const IMAGE = `sha256:${'1'.repeat(64)}`;
  const OTHER = `sha256:${'2'.repeat(64)}`;
  const digests = () => world.sandbox.jobs.map(({ imageDigest }) => imageDigest);
  const failures = async () =>
    (await world.lifecycle.run()).filter(({ type }) => type === 'ExecutionAttemptFailed').map(({ data }) => data);
  const failsIn = (imageDigest: string) => () => Promise.resolve(anOutcome({ returnCode: 3, imageDigest }));

  test('is the one that its request names, which its result need not repeat', async () => {
    await world.waiting({ image_digest: IMAGE });
    world.sandbox.program = failsIn(IMAGE);
    await world.attempt();
    expect(digests()).toEqual([IMAGE]);
    expect(await failures()).toMatchObject([{ result: { return_code: 3 } }]);
    expect(await failures()).not.toMatchObject([{ result: { image_digest: IMAGE } }]);
  });

  test('is that of the first result, if the request names none', async () => {
    await world.waiting({ retry: { ...RETRY, retry_on: ['exit_code'], initial_delay_ms: 0 } });
    for (const [index, image] of [IMAGE, OTHER, OTHER].entries()) {
      world.sandbox.program = failsIn(image);
      if (index > 0) await world.enqueue(EXECUTION_ID, index + 1);
      await world.attempt();
    }
    expect(digests()).toEqual([null, IMAGE, IMAGE]);
    expect(await failures()).toMatchObject([{ result: { image_digest: IMAGE } }, {}, {}]);
  });

  test('a runtime that this worker does not have fails the attempt as infrastructure', async () => {
    await world.waiting({ script_type: 'removed' });
    expect(await world.attempt()).toBe('failed');
    expect(world.sandbox.jobs).toEqual([]);
    expect(await failures()).toMatchObject([
      { reason: 'infrastructure', detail: 'this worker has no runtime removed' },
    ]);
  });
});

describe('a program that fails', () => {
  test.each([
    ['exit_code', anOutcome({ returnCode: 3 })],
    ['signal', anOutcome({ reason: 'signal', returnCode: 139, signal: 'SIGSEGV' })],
    ['out_of_memory', anOutcome({ reason: 'out_of_memory', returnCode: 137, signal: 'SIGKILL' })],
  ] as const)('by %s has failed if that is not retried', async (reason, outcome) => {
    await world.waiting();
    world.sandbox.program = () => Promise.resolve(outcome);
    expect(await world.attempt()).toBe('failed');
    const { returnCode: return_code, signal } = outcome;
    expect((await world.lifecycle.run()).slice(-2)).toMatchObject([
      { type: 'ExecutionAttemptFailed', data: { reason, result: { return_code, signal } } },
      { type: 'ExecutionFailed', data: { reason } },
    ]);
    expect(await world.jobState()).toBe('missing');
  });

  test('by a timeout has timed out, and its output is kept', async () => {
    await world.waiting({ retry: { ...RETRY, retry_on: [] } });
    const stdout = { content: Buffer.from('so far'), bytesTotal: 9_000, truncated: true };
    world.sandbox.program = () => Promise.resolve(anOutcome({ reason: 'timeout', returnCode: null, stdout }));
    expect(await world.attempt()).toBe('failed');
    expect(await world.newest(2)).toEqual(['ExecutionAttemptFailed', 'ExecutionTimedOut']);
    const failed = (await world.lifecycle.run()).at(-2);
    expect(failed).toMatchObject({ data: { result: { stdout: { bytes_total: 9_000, truncated: true } } } });
  });

  test('is retried if the policy says so', async () => {
    await world.waiting({ retry: { ...RETRY, retry_on: ['exit_code'] } });
    world.sandbox.program = exits(1);
    expect(await world.attempt()).toBe('failed');
    expect(await world.newest(2)).toEqual(['ExecutionAttemptFailed', 'ExecutionRetryScheduled']);
  });
});

describe('a run that is stopped', () => {
  const whileRunning = (work: () => unknown): void => {
    world.sandbox.program = async (job, signal) => {
      await work();
      return runsUntilKilled('so far')(job, signal);
    };
  };

  test('for a cancel is cancelled, with its output', async () => {
    await world.waiting();
    whileRunning(async () => {
      await world.lifecycle.bus.execute(command.cancel());
      world.tell('cancel');
    });
    expect(await world.attempt()).toBe('failed');
    expect(await world.newest(2)).toEqual(['ExecutionCancellationRequested', 'ExecutionCancelled']);
    expect((await world.lifecycle.run()).at(-1)).toMatchObject({ data: { result: { stdout: { bytes_total: 6 } } } });
    expect(await world.jobState()).toBe('missing');
  });

  test('for a shutdown is released, and does not count', async () => {
    await world.waiting();
    whileRunning(() => world.tell('shutdown'));
    expect(await world.attempt()).toBe('released');
    expect((await world.lifecycle.run()).at(-1)).toEqual(event.attemptReleased());
    expect(await world.jobState()).toBe('waiting');
  });

  test('for a shutdown, and had to be killed, is released as well', async () => {
    await world.waiting();
    world.sandbox.program = () => {
      world.tell('shutdown');
      return Promise.reject(new SandboxFailure('the sandbox is closing', true));
    };
    expect(await world.attempt()).toBe('released');
    expect(await world.newest(1)).toEqual(['ExecutionAttemptReleased']);
  });

  test('but had already ended by itself keeps its own end', async () => {
    await world.waiting();
    world.sandbox.program = (...run) => {
      world.tell('shutdown');
      return exits(0)(...run);
    };
    expect(await world.attempt()).toBe('succeeded');
  });

  test('because another worker has the attempt reports nothing, and leaves the job to its holder', async () => {
    await world.waiting();
    whileRunning(() => world.tell('lost'));
    const job = await world.reserve();
    const end = await world.runner.run(job, { stop: world.stop.signal, abandon: world.abandon.signal });
    world.queue.flush();
    await world.queue.restoreLease({ ...job, leaseToken: 'somebody else’s' }, 'test.worker-2', 60_000);
    await world.runner.finishJob(job, end, world.abandon.signal);
    expect(end).toBe('dropped');
    expect(await world.newest(1)).toEqual(['ExecutionAttemptStarted']);
    expect(await world.jobState()).toBe('leased');
  });
});

describe('an outdated job', () => {
  test.each([
    ['its execution was cancelled', [event.cancelled()]],
    ['its attempt runs on another worker', [event.started()]],
    ['its attempt has ended', [event.started(), event.attemptLost(), event.retryScheduled(2, 0)]],
    ['its execution was taken over', [event.startedElsewhere()]],
  ])('is dropped: %s', async (_, history) => {
    await world.waiting({}, ...history);
    expect(await world.attempt()).toBe('dropped');
    expect(world.sandbox.jobs).toEqual([]);
    expect(await world.jobState()).toBe('missing');
    expect(await world.newest(1)).toEqual([history.at(-1)!.type]);
  });

  test('is dropped: the execution does not exist', async () => {
    await world.enqueue();
    expect(await world.attempt()).toBe('dropped');
  });

  test('is dropped: the attempt was lost while its program ran', async () => {
    await world.waiting();
    world.sandbox.program = async (...run) => {
      await world.lifecycle.bus.execute(command.lose());
      return exits(0, 'late')(...run);
    };
    expect(await world.attempt()).toBe('dropped');
    expect(await world.newest(2)).toEqual(['ExecutionAttemptFailed', 'ExecutionRetryScheduled']);
  });
});

test('a run whose container is lost keeps the output printed so far', async () => {
  await world.waiting();
  const { stdout, stderr, wallTimeMs } = anOutcome({
    stdout: { content: Buffer.from('so far'), bytesTotal: 6, truncated: false },
  });
  const lost = new SandboxFailure('killed', true, { partial: { stdout, stderr, wallTimeMs } });
  world.sandbox.program = () => Promise.reject(lost);
  expect(await world.attempt()).toBe('failed');
  expect((await world.lifecycle.run()).at(-2)).toMatchObject({
    type: 'ExecutionAttemptFailed',
    data: { reason: 'infrastructure', result: { return_code: null, signal: null, stdout: { bytes_total: 6 } } },
  });
  const stored = world.payloads.stored.get(deterministicId(EXECUTION_ID, 1, 'stdout'));
  expect(Buffer.from(stored!.content).toString()).toBe('so far');
});

describe('a destroyed payload', () => {
  test('fails the attempt: the script', async () => {
    await world.waiting();
    world.payloads.destroy(SCRIPT.payload_id);
    expect(await world.attempt()).toBe('failed');
    const failed = { reason: 'infrastructure', detail: 'the script has been destroyed', result: null };
    expect((await world.lifecycle.run()).at(-2)).toMatchObject({ data: failed });
    expect(world.sandbox.jobs).toEqual([]);
  });

  test('fails the attempt: the input', async () => {
    await world.waiting({ input: { ...SCRIPT, payload_id: deterministicId('gone') } });
    expect(await world.attempt()).toBe('failed');
    expect((await world.lifecycle.run()).at(-2)).toMatchObject({ data: { detail: 'the input has been destroyed' } });
  });
});
