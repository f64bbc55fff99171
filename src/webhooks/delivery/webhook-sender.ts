import http, { type IncomingMessage } from 'node:http';
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
/** Of one host, that a connection is tried to. */
const ADDRESSES_MAX = 8;
/** RFC 9110, section 15: a smaller number is not a status. */
const STATUS_MIN = 100;

export type SendResult =
  | { readonly statusCode: number; readonly failure: 'status' | null; readonly durationMs: number }
  | { readonly statusCode: null; readonly failure: Exclude<AttemptFailure, 'status'>; readonly durationMs: number };

export interface WebhookRequest {
  readonly url: string;
  readonly method: 'POST' | 'PUT';
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/**
 * Sends one request to an address that somebody else chose. The host is resolved once, every address is checked, and
 * the connection is made to checked addresses only: an answer that changes afterwards (DNS rebinding) has no effect.
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

  private async request({ url: text, ...request }: WebhookRequest, signal: AbortSignal): Promise<number> {
    if (refusalOfUrl(text, this.rules) !== null) throw new RefusedAddress();
    const url = new URL(text);
    const addresses = await this.checkedAddresses(hostOf(url), signal);
    return await send(url, addresses, { ...request, signal });
  }

  private async checkedAddresses(host: string, signal: AbortSignal): Promise<readonly string[]> {
    const addresses = await unlessAborted(this.hosts.of(host), signal).catch((error: unknown) => {
      throw new UnknownHost('the host has no address', { cause: error });
    });
    const allowed = addresses.filter((address) => refusalOfAddress(address, this.rules.isAllowedAddress) === null);
    if (allowed.length === 0) throw new RefusedAddress();
    return allowed.slice(0, ADDRESSES_MAX);
  }
}

class UnknownHost extends Error {}

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

interface Sent extends Omit<WebhookRequest, 'url'> {
  readonly signal: AbortSignal;
}

/** @returns the status of the response, whose content is not read */
function send(url: URL, addresses: readonly string[], { method, headers, body, signal }: Sent): Promise<number> {
  const { request } = url.protocol === 'https:' ? https : http;
  const checked = addresses.map((address) => ({ address, family: isIP(address) }));
  return new Promise((resolve, reject) => {
    const sent = request(url, {
      method,
      headers: { ...headers, 'content-length': String(Buffer.byteLength(body)) },
      // Each connection ends with its response: a receiver cannot hold any.
      agent: false,
      lookup: (_host, options, answer) => {
        if (options.all) answer(null, checked);
        else answer(null, checked[0]!.address, checked[0]!.family);
      },
      maxHeaderSize: RESPONSE_HEAD_BYTES_MAX,
      signal,
    });
    const answered = ({ statusCode = 0 }: IncomingMessage): void => {
      if (statusCode >= STATUS_MIN) resolve(statusCode);
      sent.destroy();
    };
    sent.on('response', answered);
    // 101, although nothing asked for it.
    sent.on('upgrade', answered);
    sent.on('error', reject);
    // Also without an error, for instance after a response that is none.
    sent.on('close', () => reject(new Error('the connection was closed without a response')));
    sent.end(body);
  });
}

const TLS_ERROR = /^(?:ERR_TLS|ERR_SSL|CERT_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|EPROTO$|HOSTNAME_MISMATCH$)/;

function failureOf(error: unknown): Exclude<AttemptFailure, 'status' | 'timeout'> {
  if (error instanceof RefusedAddress) return 'address_refused';
  if (error instanceof UnknownHost) return 'dns';
  const { code = '' } = error as NodeJS.ErrnoException;
  if (code === 'HPE_HEADER_OVERFLOW') return 'response_too_large';
  return TLS_ERROR.test(code) ? 'tls' : 'connection';
}
