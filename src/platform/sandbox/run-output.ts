import type { CapturedOutput } from '../../kernel/ports/sandbox.js';
import type { OutputStream } from './docker-frames.js';
import type { EndReport } from './end-of-run.js';

/** What a run printed, as its launcher passed it on: head and tail, no more than the cap (infra/launcher). */
export class RunOutput {
  private readonly chunks: Record<OutputStream, Buffer[]> = { stdout: [], stderr: [] };

  /** @param headBytesMax from where on bytes may be missing while no trailer says so */
  constructor(private readonly headBytesMax: number) {}

  add(stream: OutputStream, bytes: Buffer): void {
    // A copy: the chunk is a slice of the socket's buffer, which a kept slice would keep whole.
    this.chunks[stream].push(Buffer.from(bytes));
  }

  /** @param report null for a run whose launcher was lost: it had the tail, and the true counts */
  result(report: EndReport | null): Record<OutputStream, CapturedOutput> {
    return { stdout: this.captured('stdout', report), stderr: this.captured('stderr', report) };
  }

  private captured(stream: OutputStream, report: EndReport | null): CapturedOutput {
    const content = Buffer.concat(this.chunks[stream]);
    return {
      content,
      bytesTotal: report?.bytes[stream] ?? content.length,
      truncated: report?.truncated[stream] ?? content.length >= this.headBytesMax,
    };
  }
}
