import { isIPv6 } from 'node:net';

import { VoidRunner } from '@voidrunner/client';
import type { FastifyRequest } from 'fastify';

import { credentialOf } from '../http/auth-guard.js';
import { REQUEST_ID_HEADER } from '../http/request-context.js';
import { currentTraceparent } from '../platform/telemetry/trace-context.js';
import { RETRIES_MAX } from './limits.js';

/**
 * A client of this process with the credential of the caller, which the guard has accepted. It connects to the address
 * at which the request has arrived: whatever the settings say, this process listens there. Requests over a socket have
 * all limits, slots and aborts of a route; `inject` of Fastify has no socket to close, on which these rely.
 */
export function loopbackClient(request: FastifyRequest): VoidRunner {
  const { localAddress = '127.0.0.1', localPort } = request.raw.socket;
  return new VoidRunner({
    baseUrl: `http://${isIPv6(localAddress) ? `[${localAddress}]` : localAddress}:${localPort}`,
    apiKey: credentialOf(request),
    headers: { [REQUEST_ID_HEADER]: request.id },
    maxRetries: RETRIES_MAX,
    fetch: tracedFetch,
  });
}

/** In the trace of the tool call: no instrumentation adds the header to requests of `fetch`. */
const tracedFetch: typeof fetch = (input, init) => {
  const request = new Request(input, init);
  const traceparent = currentTraceparent();
  if (traceparent !== undefined) request.headers.set('traceparent', traceparent);
  return fetch(request);
};
