import { ConnectionError } from '../errors.js';

export type Fetch = typeof globalThis.fetch;
export type Send = (request: Request) => Promise<Response>;

const MS_PER_SECOND = 1_000;
const NULL_BODY_STATUSES = [204, 205, 304];

/**
 * Sends a request once. A response is read to its end within the time limit, so that a connection that breaks in the
 * middle is an error here, unless it is a stream: there the limit holds for its head.
 * @throws ConnectionError, or the reason of the request's signal
 */
export async function sendOnce(request: Request, isStream: boolean, timeoutMs: number, fetch: Fetch) {
  const timeout = new AbortController();
  const limitMs = timeoutMs + waitMsOf(request);
  const timer = setTimeout(() => timeout.abort(new ConnectionError(`No response within ${limitMs} ms`)), limitMs);
  try {
    const response = await fetch(request, { signal: AbortSignal.any([request.signal, timeout.signal]) });
    return isStream && response.ok ? response : await readToEnd(response);
  } catch (cause) {
    if (request.signal.aborted) throw request.signal.reason;
    if (timeout.signal.aborted) throw timeout.signal.reason;
    throw new ConnectionError(`${new URL(request.url).origin} cannot be reached: ${String(cause)}`, { cause });
  } finally {
    clearTimeout(timer);
  }
}

/** The service may take this long before it responds. */
const waitMsOf = ({ url }: Request): number => Number(new URL(url).searchParams.get('wait') ?? 0) * MS_PER_SECOND || 0;

async function readToEnd(response: Response): Promise<Response> {
  const { status, statusText, headers } = response;
  const body = await response.arrayBuffer();
  return new Response(NULL_BODY_STATUSES.includes(status) ? null : body, { status, statusText, headers });
}

/** Errors of Node's `fetch` before a connection existed. Browsers do not tell. */
const NOT_CONNECTED = [
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
];

/** Whether the service certainly did not get the request. */
export function wasNotSent({ cause }: ConnectionError): boolean {
  const { code } = ((cause as Error | undefined)?.cause ?? {}) as { code?: string };
  return code !== undefined && NOT_CONNECTED.includes(code);
}
