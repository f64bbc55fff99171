import { PistonExecutions } from '../../../src/facades/piston/piston-executions.js';
import { DomainError } from '../../../src/kernel/errors.js';
import { loadRuntimes } from '../../../src/runtimes/load-runtimes.js';
import { OperatorRules } from '../../../src/tasks/api/operator-rules.js';

const runtimes = loadRuntimes('runtimes');
const maxima = {
  ...{ timeout_seconds: 30, memory_mb: 512, cpus: 1, pids: 256 },
  ...{ cpu_time_seconds: 6, output_bytes: 65_536 },
};
const body = { language: 'c', version: '*', files: [{ content: 'x' }], run_timeout: 2_000 };
const caller = { userId: 'ada', requestId: 'r', key: null };
const ENDED = {
  ...{ id: 'e', status: 'completed', termination_reason: 'exit_code', return_code: 0, signal: null },
  ...{ stdout: null, stderr: null, compile: null },
};

/** An execution that has not ended when the wait is over. */
function executions(cancel: () => Promise<void>) {
  const asked: { waitSeconds?: number; cancelled?: string } = {};
  const found = { language: 'c', version: '14.0.0', aliases: [], runtime: runtimes.named('c')! };
  const made = new PistonExecutions(
    { find: async () => found } as never,
    new OperatorRules(maxima, runtimes),
    { accept: () => ({ start: async () => null, submitted: {} }) } as never,
    {
      execution: async (_exchange: unknown, _caller: unknown, waitSeconds: number) => {
        asked.waitSeconds = waitSeconds;
        return { id: 'e', status: 'running' };
      },
    } as never,
    {
      bytesOf: () => 0,
      outputs: async () => ({ stdout: null, stderr: null }),
      compilerOutputs: async () => null,
    } as never,
    {
      execute: (command: { executionId: string }) => {
        asked.cancelled = command.executionId;
        return cancel();
      },
    } as never,
    { execute: async () => ENDED } as never,
    {} as never,
  );
  return { made, asked };
}

const exchange = { request: {}, reply: { header: () => undefined } } as never;

test('a program that does not end in time is cancelled, and its client may try again', async () => {
  const { made, asked } = executions(async () => undefined);
  await expect(made.run(body, caller as never, exchange)).rejects.toMatchObject({
    ...{ status: 503, code: 'not_run_in_time', retryAfterSeconds: 10 },
  });
  // For a worker, for the compiler and for the run.
  expect(asked).toEqual({ waitSeconds: 60 + 60 + 2, cancelled: 'e' });
});

test('a program that ends before it is cancelled has its result', async () => {
  const ended = new DomainError('execution_ended', 'Execution has already ended');
  const { made } = executions(() => Promise.reject(ended));
  expect(await made.run(body, caller as never, exchange)).toMatchObject({ run: { code: 0 }, language: 'c' });
});

test('an outage during the cancellation is one', async () => {
  const { made } = executions(() => Promise.reject(new Error('down')));
  await expect(made.run(body, caller as never, exchange)).rejects.toThrow('down');
});
