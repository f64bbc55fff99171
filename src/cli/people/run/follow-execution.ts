import { once } from 'node:events';

import { ConflictError, type Execution, hasEnded } from '@voidrunner/client';

import { ignoreErrors } from '../../../platform/async/ignore-errors.js';
import { print, warn } from '../../output.js';
import type { Server } from '../server/connection.js';
import { clearStatus, showStatus, startProgress } from '../terminal/progress.js';
import { downloadFiles } from './download-files.js';
import { exitCodeOf, reportEnd } from './end-of-run.js';
import type { Interruption } from './interruption.js';
import { sendInput } from './send-input.js';
import type { LiveInput } from './standard-input.js';

export interface FollowOptions {
  /** Standard input that is still to be sent. */
  readonly live?: LiveInput | null;
  /** Where the files of the run are written. */
  readonly out?: string | undefined;
  /** Instead of its output, the execution when it has ended. */
  readonly json?: boolean | undefined;
}

/** Shows an execution as if the program ran here, and sets the exit code. A signal cancels it. */
export async function followExecution(
  server: Server,
  started: Execution,
  interruption: Interruption,
  options: FollowOptions,
): Promise<void> {
  const { vr } = server;
  const { id } = started;
  const end = new AbortController();
  interruption.cancelBy(() => {
    warn('voidrunner: cancelling; once more leaves at once');
    void cancel(server, id);
  });
  const { live } = options;
  const input = live ? settled(sendInput(server, id, live, end.signal), end.signal) : null;
  const status = ignoreErrors(
    showProgress(server, started, end.signal),
    'what matters, the wait for the end meets, too',
  );
  try {
    if (!options.json && started.test_count === 0) await showOutput(server, id);
    const execution = await vr.wait(id);
    end.abort();
    await status;
    clearStatus();
    if (options.json) print(JSON.stringify(execution));
    if (!options.json) showTests(execution);
    reportEnd(execution);
    if (options.out !== undefined) await downloadFiles(server, execution, options.out);
    process.exitCode = interruption.exitCode ?? exitCodeOf(execution);
  } finally {
    end.abort();
    // A pipe that stays open would keep this process alive.
    process.stdin.destroy();
  }
  const fault = await input;
  if (fault) warn('voidrunner: not all of standard input was sent');
}

async function cancel({ vr }: Server, id: string): Promise<void> {
  try {
    await vr.executions.cancel(id);
  } catch (error) {
    // It has ended: nothing to cancel.
    if (!(error instanceof ConflictError)) warn('voidrunner: the execution could not be cancelled; it goes on');
  }
}

/** Byte by byte. Waits for a slow reader, so that memory stays bounded. */
export async function showOutput({ vr }: Server, id: string): Promise<void> {
  for await (const item of vr.stream(id, { types: ['stdout', 'stderr'] })) {
    if (item.type !== 'stdout' && item.type !== 'stderr') continue;
    clearStatus();
    const stream = process[item.type];
    if (!stream.write(item.data)) await ignoreErrors(once(stream, 'drain'), 'a closed pipe cancels the execution');
  }
}

/** The place in the queue, and the tests of a suite, on a terminal. */
async function showProgress({ vr }: Server, started: Execution, signal: AbortSignal): Promise<void> {
  if (!process.stderr.isTTY || hasEnded(started)) return;
  showStatus('waiting in the queue …');
  const bar = started.test_count > 0 ? await startProgress('tests', started.test_count, 'tests') : null;
  try {
    for await (const item of vr.stream(started.id, { types: ['event', 'test'], signal })) {
      if (item.type === 'event' && item.event.type === 'ExecutionAttemptStarted') clearStatus();
      if (item.type === 'test') bar?.advance(1);
    }
  } finally {
    bar?.end();
    clearStatus();
  }
}

function showTests({ tests, verdict, score, points, test_count }: Execution): void {
  if (test_count === 0) return;
  for (const [index, test] of (tests ?? []).entries()) print(`${test.name ?? `test ${index + 1}`}: ${test.verdict}`);
  print(`verdict: ${verdict ?? 'none'}, points: ${points ?? 0}, score: ${score ?? 0}`);
}

/** The error of a promise that others wait for later, or null. After the end there is none: nobody needs the rest. */
const settled = (work: Promise<unknown>, end: AbortSignal): Promise<unknown> =>
  work.then(
    () => null,
    (error: unknown) => (end.aborted ? null : error),
  );
