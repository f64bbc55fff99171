import {
  type CapturedOutput,
  type CompilerEnd,
  LEFT_NOTHING,
  type SandboxOutcome,
  type TerminationReason,
} from '../../sandbox/sandbox.js';

const noOutput = (): CapturedOutput => ({ content: new Uint8Array(), bytesTotal: 0, truncated: false });

/** The figures of several runs as those of one: times are sums, memory is the highest. */
export class SuiteTotals {
  private startedAt: Date | null = null;
  private imageDigest: string | null = null;
  private wallTimeMs = 0;
  private cpuTimeMs: number | null = 0;
  private memoryPeakBytes: number | null = null;
  private oomKills = 0;

  add({ startedAt, imageDigest, wallTimeMs, cpuTimeMs, memoryPeakBytes, oomKills }: SandboxOutcome): void {
    this.startedAt ??= startedAt;
    this.imageDigest ??= imageDigest;
    this.wallTimeMs += wallTimeMs;
    // Unknown for one is unknown for all.
    this.cpuTimeMs = this.cpuTimeMs === null || cpuTimeMs === null ? null : this.cpuTimeMs + cpuTimeMs;
    if (memoryPeakBytes !== null) this.memoryPeakBytes = Math.max(this.memoryPeakBytes ?? 0, memoryPeakBytes);
    this.oomKills += oomKills;
  }

  /** Without output and files, which each run has for itself. */
  outcome(reason: TerminationReason, compile: CompilerEnd | null): SandboxOutcome {
    const { imageDigest, wallTimeMs, cpuTimeMs, memoryPeakBytes, oomKills, startedAt } = this;
    return {
      reason,
      returnCode: null,
      signal: null,
      stdout: noOutput(),
      stderr: noOutput(),
      startedAt: startedAt ?? new Date(),
      imageDigest,
      wallTimeMs,
      cpuTimeMs,
      memoryPeakBytes,
      oomKills,
      ...LEFT_NOTHING,
      compile,
    };
  }
}
