import { deterministicId } from '../kernel/uuid.js';
import { allSettled } from '../platform/async/all-settled.js';
import { detachBuffer } from '../platform/memory/detach-buffer.js';
import type { PayloadStore } from '../platform/payloads/payload-store.js';
import {
  type CapturedOutput,
  type CompilerEnd,
  LEFT_NOTHING,
  type OutputStreamName,
  type PartialOutcome,
  SandboxFailure,
  type SandboxOutcome,
} from '../sandbox/sandbox.js';
import type { AttemptLease } from '../tasks/domain/execution-commands.js';
import {
  type CompileResult,
  NOTE_CHARS_MAX,
  NOTES_MAX,
  type OutputRef,
  type RunResult,
  type SuiteResult,
} from '../tasks/domain/execution-events.js';
import { encodeTestResults, progressLine } from '../tasks/domain/test-results.js';
import type { JudgedSuite } from './judging/suite-run.js';
import { storeFiles } from './stored-files.js';

const UNKNOWN_END = {
  returnCode: null,
  signal: null,
  cpuTimeMs: null,
  memoryPeakBytes: null,
  oomKills: 0,
  imageDigest: null,
  ...LEFT_NOTHING,
  compile: null,
};

/** Result of a run whose end was not observed: only its output so far is known. */
export const resultOfPartialOutcome = (
  payloads: PayloadStore,
  lease: AttemptLease,
  ownerId: string,
  partial: PartialOutcome,
) => storeRunResult(payloads, lease, ownerId, { ...UNKNOWN_END, ...partial });

/** Result of a suite that the sandbox could not carry out: only its tests so far are known. */
export async function resultOfFailedSuite(
  payloads: PayloadStore,
  lease: AttemptLease,
  ownerId: string,
  suite: JudgedSuite,
): Promise<RunResult | null> {
  if (suite.results.length === 0) return null;
  const none = { content: new Uint8Array(), bytesTotal: 0, truncated: false };
  const wallTimeMs = suite.results.reduce((sum, { wall_time_ms }) => sum + wall_time_ms, 0);
  return storeRunResult(payloads, lease, ownerId, { ...UNKNOWN_END, stdout: none, stderr: none, wallTimeMs, suite });
}

/**
 * Stores the output and the files of a run, before the event that refers to them. The ids are derived from execution,
 * attempt and stream, so storing again after an outage changes nothing.
 */
export async function storeRunResult(
  payloads: PayloadStore,
  lease: AttemptLease,
  ownerId: string,
  outcome: Omit<SandboxOutcome, 'reason' | 'startedAt'> & { readonly suite?: JudgedSuite | undefined },
): Promise<RunResult> {
  const store = async (name: string, kind: OutputStreamName, output: CapturedOutput): Promise<OutputRef> => {
    const { content, bytesTotal: bytes_total, truncated, headBytes } = output;
    const facts = { bytes_total, truncated, ...(headBytes !== undefined && { head_bytes: headBytes }) };
    if (content.length === 0) return { payload: null, ...facts };
    const payloadId = deterministicId(lease.executionId, lease.attempt, name);
    return { payload: await payloads.put({ payloadId, ownerId, kind, content }), ...facts };
  };
  const storeCompile = async (end: CompilerEnd): Promise<CompileResult> => {
    const [stdout, stderr] = await allSettled([
      store('compile stdout', 'stdout', end.stdout),
      store('compile stderr', 'stderr', end.stderr),
    ]);
    return { return_code: end.returnCode, stdout, stderr, wall_time_ms: Math.round(end.wallTimeMs) };
  };
  const storeSuite = async ({ verdict, score, results }: JudgedSuite): Promise<SuiteResult> => {
    if (results.length === 0) return { verdict, score, tests: null, progress_bytes: 0 };
    const progress_bytes = results.reduce((sum, result, index) => sum + progressLine(result, index).length, 0);
    const payloadId = deterministicId(lease.executionId, lease.attempt, 'tests');
    const content = encodeTestResults(results);
    const tests = await payloads.put({ payloadId, ownerId, kind: 'test_results', content });
    return { verdict, score, tests, progress_bytes };
  };
  // None may still read a buffer when the caller detaches it.
  const [stdout, stderr, files, compile, suite] = await allSettled([
    store('stdout', 'stdout', outcome.stdout),
    store('stderr', 'stderr', outcome.stderr),
    storeFiles(payloads, lease, ownerId, outcome.files),
    outcome.compile ? storeCompile(outcome.compile) : Promise.resolve(null),
    outcome.suite ? storeSuite(outcome.suite) : Promise.resolve(null),
  ]);
  return {
    return_code: outcome.returnCode,
    signal: outcome.signal,
    stdout,
    stderr,
    wall_time_ms: Math.round(outcome.wallTimeMs),
    cpu_time_ms: outcome.cpuTimeMs === null ? null : Math.round(outcome.cpuTimeMs),
    memory_peak_bytes: outcome.memoryPeakBytes,
    ...(outcome.imageDigest !== null && { image_digest: outcome.imageDigest }),
    ...(outcome.notes.length > 0 && { notes: bounded(outcome.notes) }),
    ...(files.length > 0 && { files }),
    ...(compile && { compile }),
    ...(suite && { suite }),
    ...(outcome.skippedFiles.length > 0 && { files_skipped: [...outcome.skippedFiles] }),
  };
}

/** A text that is too long must not keep a result from being recorded. */
const bounded = (notes: readonly string[]): string[] =>
  notes.slice(0, NOTES_MAX).map((note) => note.slice(0, NOTE_CHARS_MAX));

/** Frees the buffers of output and files. The attempt is over, and they are stored or lost. */
export function detachOutput(ran: SandboxOutcome | SandboxFailure): void {
  const written = ran instanceof SandboxFailure ? [ran.partial] : [ran, ran.compile];
  const files = ran instanceof SandboxFailure ? [] : ran.files;
  const outputs = written.flatMap((each) => (each ? [each.stdout, each.stderr] : []));
  for (const { content } of [...outputs, ...files]) detachBuffer(content);
}
