import { chmod, mkdir, open, rename, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

import { JsonTraceSerializer } from '@opentelemetry/otlp-transformer';
import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace';

import { ifMissing } from './missing-file.js';

/** A larger file is renamed to `<path>.1`, and replaces the one from before. */
export const TRACE_FILE_BYTES_MAX = 64 * 1024 ** 2;

/** @opentelemetry/core's ExportResultCode, by value: the package is not our dependency. */
const SUCCESS = 0;
const FAILED = 1;

/** Only the operator of the service may read traces. */
const FILE_MODE = 0o600;
const FOLDER_MODE = 0o700;

/** Appends spans to a file, one line per batch, in the OTLP JSON file format: for machines without a trace viewer. */
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
    await mkdir(dirname(this.path), { recursive: true, mode: FOLDER_MODE });
    const { size } = await stat(this.path).catch(ifMissing({ size: 0 }));
    if (size > this.bytesMax) await rename(this.path, `${this.path}.1`);
    await this.restrictOlder();
    const file = await open(this.path, 'a', FILE_MODE);
    try {
      // The file may come from an earlier version, or from another user.
      await file.chmod(FILE_MODE);
      await file.appendFile(Buffer.concat([line, Buffer.from('\n')]));
    } finally {
      await file.close();
    }
  }

  /** Restricts the renamed file, even if an earlier version renamed it. */
  private async restrictOlder(): Promise<void> {
    await chmod(`${this.path}.1`, FILE_MODE).catch(ifMissing(undefined));
  }
}
