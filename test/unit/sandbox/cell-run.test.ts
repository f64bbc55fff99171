import { type CellJob, programJob } from '../../../src/sandbox/cell-job.js';
import { kindFor } from '../../../src/sandbox/cell-kind.js';
import { CellRun, REPORT_GRACE_MS } from '../../../src/sandbox/cell-run.js';
import type { Cell, JobListener } from '../../../src/sandbox/cell.js';
import { FILES_MAX } from '../../../src/sandbox/collected-files.js';
import { InteractiveInput } from '../../../src/sandbox/interactive-input.js';
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
  readonly added: [job: number, text: string][] = [];
  readonly lastWords = '';
  send(_: readonly Uint8Array[], _base: CellJob['base'], listener: JobListener) {
    this.listener = listener;
  }
  kill(number: number) {
    this.kills.push(number);
  }
  addInput(number: number, bytes: Uint8Array) {
    this.added.push([number, Buffer.from(bytes).toString()]);
  }
  abandon() {
    this.abandoned = true;
    this.listener.lost(undefined);
  }
  remove = async () => undefined;
  forget() {}
  forgetBase() {}
}

const start = (cell: SilentCell, interactive?: InteractiveInput, { signal } = new AbortController(), starts = true) => {
  const options = {
    outputBytesMax: 100,
    filesMax: FILES_MAX,
    cancelled: signal,
    closing: new AbortController().signal,
    interactive,
  };
  const run = new CellRun(cell as unknown as Cell, {
    job: programJob(job('bash', 'true', { timeoutMs: TIMEOUT_MS })),
    ...options,
    onOutput: undefined,
  }).run();
  if (starts) cell.listener.onMessage({ kind: 'started', job: 1 });
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

describe('an interactive run', () => {
  const confirm = (cell: SilentCell, taken: number, job = 1) => cell.listener.onMessage({ kind: 'input', job, taken });

  it('sends input when the program has started, and more when it is confirmed', async () => {
    const [cell, input] = [new SilentCell(), new InteractiveInput()];
    const large = 'x'.repeat(64 * 1024);
    input.add(Buffer.from(large), false);
    const run = start(cell, input);
    input.add(Buffer.from('y'), true);
    confirm(cell, 7, 2);
    expect(cell.added).toEqual([[1, large]]);
    confirm(cell, 64 * 1024);
    expect(cell.added.slice(1)).toEqual([
      [1, 'y'],
      [1, ''],
    ]);
    cell.listener.onMessage({ kind: 'ended', job: 1, report: EXITED });
    await run;
  });

  it.each([
    ['it has ended', (cell: SilentCell) => cell.listener.onMessage({ kind: 'ended', job: 1, report: EXITED })],
    ['its processes are dead', ({ listener }) => listener.onMessage({ kind: 'files', job: 1, bytes: Buffer.alloc(0) })],
    ['it is cancelled', (_, cancel) => cancel.abort()],
    ['its time is over', () => jest.advanceTimersByTimeAsync(HOST_DEADLINE_MS)],
  ] as readonly [string, (cell: SilentCell, cancel: AbortController) => unknown][])(
    'takes no more input when %s',
    async (_, end) => {
      const [cell, input, cancel] = [new SilentCell(), new InteractiveInput(), new AbortController()];
      const run = start(cell, input, cancel);
      await end(cell, cancel);
      expect(input.add(Buffer.from('late'), false)).toBe('ended');
      cell.listener.onMessage({ kind: 'ended', job: 1, report: EXITED });
      await run;
      expect(cell.added).toEqual([]);
    },
  );

  it('whose namespaces are refused keeps its input for the next cell', async () => {
    const [cell, input] = [new SilentCell(), new InteractiveInput()];
    input.add(Buffer.from('early'), false);
    const run = start(cell, input, undefined, false);
    cell.listener.onMessage({ kind: 'refused', job: 1, message: 'isolation: no' });
    await expect(run).rejects.toThrow('refused');
    const next = new SilentCell();
    const again = start(next, input);
    expect([cell.added, next.added]).toEqual([[], [[1, 'early']]]);
    next.listener.onMessage({ kind: 'ended', job: 1, report: EXITED });
    await again;
  });
});
