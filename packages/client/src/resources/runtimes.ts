import type { Runtime } from '../api-objects.js';
import type { Http } from '../http.js';
import type { CallOptions } from '../options.js';
import { signalOf, unwrap } from '../unwrap.js';

export class Runtimes {
  constructor(private readonly http: Http) {}

  /** Needs no credential. */
  async list(options: CallOptions = {}): Promise<readonly Runtime[]> {
    return (await unwrap(this.http.GET('/api/v1/runtimes', signalOf(options)))).runtimes;
  }
}
