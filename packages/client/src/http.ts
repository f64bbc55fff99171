import createClient, { type Client } from 'openapi-fetch';

import type { paths } from './generated/api.js';
import type { CheckedOptions } from './options.js';
import type { Credentials } from './transport/credentials.js';
import { type Send, sendOnce } from './transport/once.js';
import { IDEMPOTENCY_KEY, POSTS_WITH_KEY } from './transport/repeatable.js';
import { withRetries } from './transport/retries.js';

/** The API by its document: paths, parameters, bodies and responses are typed. Error responses are returned. */
export type Http = Client<paths, 'application/json' | 'application/problem+json'>;

const REFRESH = '/api/v1/auth/refresh';
/** A 401 of these says that the password or the refresh token is wrong. */
const WITHOUT_CREDENTIAL: readonly string[] = [REFRESH, '/api/v1/auth/login', '/api/v1/auth/register'];

export function createHttp(options: CheckedOptions, credentials: Credentials) {
  const { baseUrl, headers, fetch, maxRetries, timeoutMs } = options;
  const streams = new WeakSet<Request>();
  const anonymous = new WeakSet<Request>();
  const sender = (isStream: boolean): Send =>
    withRetries((request) => sendOnce(request, isStream, timeoutMs, fetch), maxRetries);
  const plain = sender(false);
  const [withCredentials, streamWithCredentials] = [plain, sender(true)].map((send) =>
    credentials.wrap(send, plain, baseUrl + REFRESH),
  ) as [Send, Send];

  const http: Http = createClient({
    baseUrl,
    headers,
    fetch(request) {
      if (anonymous.has(request)) return plain(request);
      return (streams.has(request) ? streamWithCredentials : withCredentials)(request);
    },
  });
  http.use({
    onRequest({ request, schemaPath, options: { parseAs } }) {
      if (request.method === 'POST' && POSTS_WITH_KEY.has(schemaPath) && !request.headers.has(IDEMPOTENCY_KEY)) {
        request.headers.set(IDEMPOTENCY_KEY, crypto.randomUUID());
      }
      if (WITHOUT_CREDENTIAL.includes(schemaPath)) anonymous.add(request);
      if (parseAs === 'stream') streams.add(request);
    },
  });
  const refresh = (signal?: AbortSignal) => credentials.refresh(plain, baseUrl + REFRESH, signal);
  return { http, refresh };
}
