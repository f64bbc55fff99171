import type { OutputFile } from '../api-objects.js';
import { getExecution } from '../executions.js';
import type { Http } from '../http.js';
import type { CallOptions } from '../options.js';
import { bytesOrNone, signalOf, streamOfBytes } from '../unwrap.js';

/** Files that a run kept, by the patterns `outputs`. */
export class Files {
  constructor(private readonly http: Http) {}

  async list(executionId: string, { signal }: CallOptions = {}): Promise<readonly OutputFile[]> {
    return (await getExecution(this.http, executionId, signal)).files;
  }

  download(executionId: string, path: string, options: CallOptions = {}): Promise<Uint8Array> {
    return bytesOrNone(this.get(executionId, path, 'arrayBuffer', options));
  }

  /** Like download, piece by piece. A connection that breaks is an error of the stream. */
  async stream(executionId: string, path: string, options: CallOptions = {}): Promise<ReadableStream<Uint8Array>> {
    return streamOfBytes(this.get(executionId, path, 'stream', options));
  }

  private get<As extends 'arrayBuffer' | 'stream'>(id: string, path: string, parseAs: As, options: CallOptions) {
    const params = { path: { id, path } };
    return this.http.GET('/api/v1/executions/{id}/files/{path}', { params, parseAs, ...signalOf(options) });
  }
}
