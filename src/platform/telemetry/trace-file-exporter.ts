import { appendFile, mkdir, rename, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

import { JsonTraceSerializer } from '@opentelemetry/otlp-transformer';
import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace';

/** Past it the file is put aside as `<path>.1`, and what was there before is gone. */
export const TRACE_FILE_BYTES_MAX = 64 * 1024 ** 2;

/** @opentelemetry/core's ExportResultCode, by value: the package is not ours to depend on. */
const SUCCESS = 0;
const FAILED = 1;

/** Appends spans to a file, one line a batch, in the OTLP JSON file format: for machines without a trace viewer. */
export class TraceFileExporter implements SpanExporter {
  private writing: Promise<void> = Promise.resolve();

  constructor(
    private readonly path: string,
    private readonly bytesMax = TRACE_FILE_BYTES_MAX,
  ) {}

  export(spans: ReadableSpan[], done: Parameters<SpanExporter['export']>[1]): void {
    const line = JsonTraceSerializer.serializeRequest(spans);
    this.writing = this.writing
      .then(() => this.write(line))
      .then(
        () => done({ code: SUCCESS }),
        (error: Error) => done({ code: FAILED, error }),
      );
  }

  async forceFlush(): Promise<void> {
    await this.writing;
  }

  async shutdown(): Promise<void> {
    await this.writing;
  }

  private async write(line: Uint8Array | undefined): Promise<void> {
    if (line === undefined) return;
    await mkdir(dirname(this.path), { recursive: true });
    const { size } = await stat(this.path).catch(() => ({ size: 0 }));
    if (size > this.bytesMax) await rename(this.path, `${this.path}.1`);
    await appendFile(this.path, Buffer.concat([line, Buffer.from('\n')]));
  }
}
