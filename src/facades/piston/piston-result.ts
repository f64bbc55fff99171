import type { ExecutionRow } from '../../tasks/queries/execution-projection.js';
import type { RecordedOutputs } from '../recorded-runs.js';
import { CPU_TIME_MESSAGE, exitMessage, signalMessage, WALL_TIME_MESSAGE } from '../signals.js';

/** As documented: exit code, signal, timeout, stdout too long, stderr too long, internal error. */
type Status = 'RE' | 'SG' | 'TO' | 'OL' | 'EL' | 'XX';

interface End {
  readonly code: number | null;
  readonly signal: string | null;
  readonly message: string | null;
  readonly status: Status | null;
}

/** The result of a stage, as Piston sends it: milliseconds and bytes. */
export interface PistonStage extends End {
  readonly stdout: string;
  readonly stderr: string;
  readonly output: string;
  readonly memory: number | null;
  readonly cpu_time: number | null;
  readonly wall_time: number | null;
}

const killed = (status: Status, message: string): End => ({ code: null, signal: 'SIGKILL', message, status });
const exited = (code: number): End =>
  code === 0
    ? { code, signal: null, message: null, status: null }
    : { code, signal: null, message: exitMessage(code), status: 'RE' };

export function endOf(row: ExecutionRow): End {
  const { termination_reason: reason, signal, return_code } = row;
  if (reason === 'timeout') return killed('TO', WALL_TIME_MESSAGE);
  if (reason === 'cpu_time') return killed('TO', CPU_TIME_MESSAGE);
  if (row.stdout?.truncated) return killed('OL', 'stdout length exceeded');
  if (row.stderr?.truncated) return killed('EL', 'stderr length exceeded');
  if (reason === 'out_of_memory') return killed('SG', signalMessage('SIGKILL'));
  if (signal !== null) return { code: null, signal, message: signalMessage(signal), status: 'SG' };
  if (return_code !== null && (reason === null || reason === 'exit_code')) return exited(return_code);
  return { code: null, signal: null, message: `The program was not run: ${reason ?? 'unknown'}`, status: 'XX' };
}

const textOf = (bytes: Buffer | null): string => bytes?.toString('utf8') ?? '';

/** Their order is not recorded: stdout comes first. */
function textsOf({ stdout, stderr }: RecordedOutputs) {
  const [out, err] = [textOf(stdout), textOf(stderr)];
  return { stdout: out, stderr: err, output: out + err };
}

const runStage = (row: ExecutionRow, outputs: RecordedOutputs): PistonStage => ({
  ...textsOf(outputs),
  ...endOf(row),
  memory: row.memory_usage_bytes,
  cpu_time: row.cpu_time_ms,
  wall_time: row.execution_time_ms,
});

function compileStage({ compile }: ExecutionRow, outputs: RecordedOutputs): PistonStage {
  const { return_code, wall_time_ms } = compile!;
  return {
    ...textsOf(outputs),
    ...(return_code === null ? killed('TO', WALL_TIME_MESSAGE) : exited(return_code)),
    ...{ memory: null, cpu_time: null, wall_time: wall_time_ms },
  };
}

/** A program that does not compile has the compiler's result as that of its run, too. */
export function stagesOf(row: ExecutionRow, run: RecordedOutputs, compiler: RecordedOutputs | null) {
  if (!compiler) return { run: runStage(row, run) };
  const compile = compileStage(row, compiler);
  return { compile, run: row.termination_reason === 'compile' ? compile : runStage(row, run) };
}
