import { ByteLog } from '../platform/memory/byte-log.js';
import type { EndReport } from './end-of-run.js';
import type { CapturedOutput, OutputStreamName } from './sandbox.js';

/** The output of a run as received from its launcher: head and tail, within the size limit (infra/launcher). */
export class RunOutput {
  private readonly kept: Record<OutputStreamName, ByteLog> = { stdout: new ByteLog(), stderr: new ByteLog() };

  /** @param headBytesMax size of the head: beyond it, bytes may be missing unless a trailer says that none are */
  constructor(private readonly headBytesMax: number) {}

  /** @returns all of the stream so far */
  add(stream: OutputStreamName, bytes: Buffer): ByteLog {
    this.kept[stream].add(bytes);
    return this.kept[stream];
  }

  /** @param report null if the launcher was lost, and with it the tail and the true counts */
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
      // No bytes are dropped before the head is full.
      ...(truncated && { headBytes: Math.min(this.headBytesMax, content.length) }),
    };
  }
}
