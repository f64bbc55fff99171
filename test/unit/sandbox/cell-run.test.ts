import { type CellJob, programJob } from '../../../src/sandbox/cell-job.js';
import { kindFor } from '../../../src/sandbox/cell-kind.js';
import { CellRun, REPORT_GRACE_MS } from '../../../src/sandbox/cell-run.js';
import type { Cell, JobListener } from '../../../src/sandbox/cell.js';
import { FILES_MAX } from '../../../src/sandbox/collected-files.js';
import { endReport } from '../../support/builders/end-reports.js';
import { runtimeOf } from '../../support/declared-runtimes.js';
import { job } from '../../support/docker.js';

const EXITED = endReport();
const TIMEOUT_MS = 1_000;
/** The launcher's own deadline, and the time that the host adds. */
const HOST_DEADLINE_MS = TIMEOUT_MS + 2_000;

/** A launcher that sends what the test tells it to. */
class SilentCell {
  jobs = 0;
  readonly kind = kindFor(
    runtimeOf('bash'),
    'sha256:bash',
    { memory_mb: 256, cpus: 1, pids: 64 },
    { isolation: 'nested', cpus: 2 },
  );
  listener!: JobListener;
  abandoned = false;
  readonly kills: number[] = [];
  readonly lastWords = '';
  send(_: readonly Uint8Array[], _base: CellJob['base'], listener: JobListener) {
    this.listener = listener;
  }
  kill(number: number) {
    this.kills.push(number);
  }
  abandon() {
    this.abandoned = true;
    this.listener.lost(undefined);
  }
  remove = async () => undefined;
  forget() {}
  forgetBase() {}
}

const start = (cell: SilentCell) => {
  const { signal } = new AbortController();
  const options = {
    outputBytesMax: 100,
    filesMax: FILES_MAX,
    cancelled: signal,
    closing: signal,
  };
  const run = new CellRun(cell as unknown as Cell, {
    job: programJob(job('bash', 'true', { timeoutMs: TIMEOUT_MS })),
    ...options,
    onOutput: undefined,
  }).run();
  cell.listener.onMessage({ kind: 'started', job: 1 });
  return run;
};

beforeEach(() => jest.useFakeTimers());
afterEach(() => jest.useRealTimers());

it('waits for the report of a launcher that still sends, however slowly', async () => {
  const cell = new SilentCell();
  const run = start(cell);
  await jest.advanceTimersByTimeAsync(HOST_DEADLINE_MS);
  expect(cell.kills).toEqual([1]);
  for (let sent = 0; sent < 5; sent++) {
    await jest.advanceTimersByTimeAsync(REPORT_GRACE_MS - 1);
    cell.listener.onMessage({ kind: 'output', job: 1, stream: 'stdout', bytes: Buffer.from('x') });
  }
  cell.listener.onMessage({ kind: 'ended', job: 1, report: EXITED });
  expect(await run).toMatchObject({ reason: 'exit_code', returnCode: 0 });
  expect(cell.abandoned).toBe(false);
});

it('abandons a launcher that sends nothing more', async () => {
  const cell = new SilentCell();
  const run = start(cell);
  await jest.advanceTimersByTimeAsync(HOST_DEADLINE_MS + REPORT_GRACE_MS);
  expect(cell.abandoned).toBe(true);
  expect(await run).toMatchObject({ reason: 'timeout', returnCode: null });
});

it('abandons a launcher that never ends', async () => {
  const cell = new SilentCell();
  const run = start(cell);
  await jest.advanceTimersByTimeAsync(HOST_DEADLINE_MS);
  for (let sent = 0; sent < 30 && !cell.abandoned; sent++) {
    await jest.advanceTimersByTimeAsync(REPORT_GRACE_MS - 1);
    cell.listener.onMessage({ kind: 'output', job: 1, stream: 'stdout', bytes: Buffer.from('x') });
  }
  expect(await run).toMatchObject({ reason: 'timeout' });
});
