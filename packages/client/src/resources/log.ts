import type { Checkpoint, ConsistencyProof } from '../api-objects.js';
import { defined } from '../defined.js';
import type { Http } from '../http.js';
import type { CallOptions } from '../options.js';
import { signalOf, unwrap } from '../unwrap.js';

/** Signed checkpoints of the service's log. They need no credential. */
export class Log {
  constructor(private readonly http: Http) {}

  /** Keep it: every later log must contain it. Status 404 until something is sealed. */
  async latestCheckpoint(options: CallOptions = {}): Promise<Checkpoint> {
    return await unwrap(this.http.GET('/api/v1/log/checkpoints/latest', signalOf(options)));
  }

  /** The public keys by which checkpoints may be signed, the present one first. */
  async keys(options: CallOptions = {}): Promise<readonly string[]> {
    return (await unwrap(this.http.GET('/api/v1/log/key', signalOf(options)))).keys;
  }

  /** Proves that the checkpoint of `from` events is the beginning of the one of `to` events, by default the newest. */
  async consistency(from: number, to?: number, options: CallOptions = {}): Promise<ConsistencyProof> {
    const params = { query: { from, ...defined({ to }) } };
    return await unwrap(this.http.GET('/api/v1/log/consistency', { params, ...signalOf(options) }));
  }
}
