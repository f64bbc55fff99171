import type { Session } from './transport/credentials.js';
import type { Fetch } from './transport/once.js';
import { RETRIES_DEFAULT, RETRIES_MAX } from './transport/retries.js';

export interface ClientOptions {
  /** Where the service is, for example `https://run.example.com`. */
  readonly baseUrl: string | URL;
  /** An API key (`vr_…`). A key may do what its scopes allow. */
  readonly apiKey?: string | undefined;
  /** The tokens of a person, instead of a key. They are refreshed when they have expired. */
  readonly session?: Session;
  /** Instead of the global `fetch`. */
  readonly fetch?: Fetch;
  /** Sent with every request. */
  readonly headers?: Readonly<Record<string, string>>;
  /** How often a request is repeated after a temporary failure: 0 to 20, 4 by default. */
  readonly maxRetries?: number;
  /** Maximum time in milliseconds for one try of a request, besides the time that it asks the service to wait. 30,000. */
  readonly timeoutMs?: number;
}

export interface CheckedOptions {
  readonly baseUrl: string;
  readonly fetch: Fetch;
  readonly headers: Readonly<Record<string, string>>;
  readonly maxRetries: number;
  readonly timeoutMs: number;
}

/** Options of every method. */
export interface CallOptions {
  /** Aborts the call, also while it waits for a repeat. The call then throws the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

export interface PostOptions extends CallOptions {
  /** The same key and the same request are carried out once. By default each call has a key of its own. */
  readonly idempotencyKey?: string;
}

const TIMEOUT_MS_DEFAULT = 30_000;
const TIMEOUT_MS_MAX = 600_000;

/** @throws TypeError */
export function checkOptions(options: ClientOptions): CheckedOptions {
  const { apiKey, session, maxRetries = RETRIES_DEFAULT, timeoutMs = TIMEOUT_MS_DEFAULT, headers = {} } = options;
  if (apiKey !== undefined && session !== undefined) throw new TypeError('Give an apiKey or a session, not both');
  if (apiKey !== undefined && apiKey.trim() === '') throw new TypeError('apiKey is empty');
  return {
    baseUrl: baseUrlOf(options.baseUrl),
    fetch: options.fetch ?? ((input, init) => globalThis.fetch(input, init)),
    headers,
    maxRetries: integer('maxRetries', maxRetries, 0, RETRIES_MAX),
    timeoutMs: integer('timeoutMs', timeoutMs, 1, TIMEOUT_MS_MAX),
  };
}

/** The paths of the document begin with `/api/v1`. */
function baseUrlOf(value: string | URL): string {
  const text = String(value);
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !/^https?:$/.test(url.protocol)) throw new TypeError('baseUrl is not an http or https URL');
  if (url.username || url.password || url.search || url.hash) {
    throw new TypeError('baseUrl has no credentials, query or fragment');
  }
  return url.href.replace(/\/+$/, '').replace(/\/api\/v1$/, '');
}

function integer(name: string, value: number, min: number, max: number): number {
  if (Number.isInteger(value) && value >= min && value <= max) return value;
  throw new TypeError(`${name} is an integer from ${min} to ${max}`);
}
