import http from 'node:http';
import https from 'node:https';
import { isIP } from 'node:net';

import { type HostAddresses } from '../../webhook-endpoints/host-addresses.js';
import { refusalOfAddress } from '../../webhook-endpoints/refused-address.js';
import { hostOf, refusalOfUrl, type UrlRules } from '../../webhook-endpoints/webhook-url.js';
import type { AttemptFailure } from '../domain/delivery-events.js';

/** From the look-up of the host to the end of the response's head. */
export const RESPONSE_MS_MAX = 10_000;
/** A larger head is a failure; the content of a response is not read. */
const RESPONSE_HEAD_BYTES_MAX = 16 * 1024;

export type SendResult =
  | { readonly statusCode: number; readonly failure: 'status' | null; readonly durationMs: number }
  | { readonly statusCode: null; readonly failure: Exclude<AttemptFailure, 'status'>; readonly durationMs: number };

export interface WebhookRequest {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/**
 * Sends one request to an address that somebody else chose. The host is resolved once, every address is checked, and
 * the connection is made to a checked address: an answer that changes afterwards (DNS rebinding) has no effect.
 * Redirects are not followed, because their target is not checked. Proxies of the environment are not used.
 */
export class WebhookSender {
  constructor(
    private readonly hosts: HostAddresses,
    private readonly rules: UrlRules,
  ) {}

  /** Never throws: what fails is a result. @param signal stops it; the result is then a failed connection */
  async send(request: WebhookRequest, signal: AbortSignal): Promise<SendResult> {
    const startedAt = performance.now();
    const durationMs = () => Math.round(performance.now() - startedAt);
    const timeout = AbortSignal.timeout(RESPONSE_MS_MAX);
    try {
      const statusCode = await this.request(request, AbortSignal.any([signal, timeout]));
      const isSuccess = statusCode >= 200 && statusCode < 300;
      return { statusCode, failure: isSuccess ? null : 'status', durationMs: durationMs() };
    } catch (error) {
      const failure = timeout.aborted ? 'timeout' : failureOf(error);
      return { statusCode: null, failure, durationMs: durationMs() };
    }
  }

  private async request({ url: text, headers, body }: WebhookRequest, signal: AbortSignal): Promise<number> {
    if (refusalOfUrl(text, this.rules) !== null) throw new RefusedAddress();
    const url = new URL(text);
    const address = await this.checkedAddress(hostOf(url), signal);
    return await post(url, address, { headers, body, signal });
  }

  private async checkedAddress(host: string, signal: AbortSignal): Promise<string> {
    const addresses = await unlessAborted(this.hosts.of(host), signal);
    const allowed = addresses.find((address) => refusalOfAddress(address, this.rules.isAllowedAddress) === null);
    if (allowed === undefined) throw new RefusedAddress();
    return allowed;
  }
}

class RefusedAddress extends Error {}

/** A look-up cannot be stopped; its result is no longer needed. */
function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason as Error);
    if (signal.aborted) return abort();
    signal.addEventListener('abort', abort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}

interface Sent {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly signal: AbortSignal;
}

/** @returns the status of the response, whose content is not read */
function post(url: URL, address: string, { headers, body, signal }: Sent): Promise<number> {
  const { request } = url.protocol === 'https:' ? https : http;
  return new Promise((resolve, reject) => {
    const sent = request(url, {
      method: 'POST',
      headers: { ...headers, 'content-length': String(Buffer.byteLength(body)) },
      // Each connection ends with its response: a receiver cannot hold any.
      agent: false,
      lookup: (_host, options, answer) => {
        const family = isIP(address);
        if (options.all) answer(null, [{ address, family }]);
        else answer(null, address, family);
      },
      maxHeaderSize: RESPONSE_HEAD_BYTES_MAX,
      signal,
    });
    sent.on('response', (response) => {
      resolve(response.statusCode!);
      response.destroy();
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

const TLS_ERROR = /^(?:ERR_TLS|ERR_SSL|CERT_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|EPROTO$|HOSTNAME_MISMATCH$)/;
const DNS_ERRORS = new Set(['ENOTFOUND', 'EAI_AGAIN', 'ENODATA', 'ESERVFAIL', 'EAI_FAIL', 'EAI_NODATA']);

function failureOf(error: unknown): Exclude<AttemptFailure, 'status' | 'timeout'> {
  if (error instanceof RefusedAddress) return 'address_refused';
  const { code = '' } = error as NodeJS.ErrnoException;
  if (code === 'HPE_HEADER_OVERFLOW') return 'response_too_large';
  if (DNS_ERRORS.has(code)) return 'dns';
  return TLS_ERROR.test(code) ? 'tls' : 'connection';
}
