import type { CreatedKey, CreateKey, Key, Message } from '../api-objects.js';
import type { Http } from '../http.js';
import type { CallOptions } from '../options.js';
import { signalOf, unwrap } from '../unwrap.js';

/** API keys. They are managed with a session: no key may. */
export class Keys {
  constructor(private readonly http: Http) {}

  /** `key` is in this response only. Not repeated if the connection breaks: a lost key would stay valid. */
  create(body: CreateKey, options: CallOptions = {}): Promise<CreatedKey> {
    return unwrap(this.http.POST('/api/v1/keys', { body, ...signalOf(options) }));
  }

  async list(options: CallOptions = {}): Promise<readonly Key[]> {
    return (await unwrap(this.http.GET('/api/v1/keys', signalOf(options)))).keys;
  }

  get(id: string, options: CallOptions = {}): Promise<Key> {
    return unwrap(this.http.GET('/api/v1/keys/{id}', { params: { path: { id } }, ...signalOf(options) }));
  }

  revoke(id: string, options: CallOptions = {}): Promise<Message> {
    return unwrap(this.http.DELETE('/api/v1/keys/{id}', { params: { path: { id } }, ...signalOf(options) }));
  }
}
