import { ByteLog } from '../platform/memory/byte-log.js';
import type { CapturedOutput, OutputStreamName } from './sandbox.js';
import type { EndReport } from './end-of-run.js';

/** What a run printed, as its launcher passed it on: head and tail, no more than the cap (infra/launcher). */
export class RunOutput {
  private readonly kept: Record<OutputStreamName, ByteLog> = { stdout: new ByteLog(), stderr: new ByteLog() };

  /** @param headBytesMax from where on bytes may be missing while no trailer says so */
  constructor(private readonly headBytesMax: number) {}

  /** @returns all of the stream so far */
  add(stream: OutputStreamName, bytes: Buffer): ByteLog {
    this.kept[stream].add(bytes);
    return this.kept[stream];
  }

  /** @param report null for a run whose launcher was lost: it had the tail, and the true counts */
  result(report: EndReport | null): Record<OutputStreamName, CapturedOutput> {
    return { stdout: this.captured('stdout', report), stderr: this.captured('stderr', report) };
  }

  private captured(stream: OutputStreamName, report: EndReport | null): CapturedOutput {
    const content = this.kept[stream].whole();
    if (report === null) {
      return { content, bytesTotal: content.length, truncated: content.length >= this.headBytesMax };
    }
    const truncated = report.truncated[stream];
    return {
      content,
      bytesTotal: report.bytes[stream],
      truncated,
      // Nothing is left out before the head is full.
      ...(truncated && { headBytes: Math.min(this.headBytesMax, content.length) }),
    };
  }
}
