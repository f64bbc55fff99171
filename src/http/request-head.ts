import type { FastifyRequest } from 'fastify';

import { HttpProblem } from './problem.js';

/** uri-host [ ":" port ] of RFC 9110, section 7.2; empty if the target has no authority. */
const HOST = /^(\[[0-9A-Fa-f:.vV]+\]|([A-Za-z0-9\-._~!$&'()*+,;=]|%[0-9A-Fa-f]{2})*)(:\d*)?$/;

/**
 * Replaces Node's own check, which rejects a missing Host without a body, and keeps the first of two.
 * @throws HttpProblem 400 or 417
 */
export function checkHead({ raw }: FastifyRequest): void {
  const isHttp11 = raw.httpVersionMajor === 1 && raw.httpVersionMinor >= 1;
  const hosts = raw.rawHeaders.filter((name, index) => index % 2 === 0 && name.toLowerCase() === 'host').length;
  // RFC 9112, section 3.2.
  const host = raw.headers.host;
  if (hosts > 1 || (host === undefined && isHttp11) || !HOST.test(host?.trim() ?? '')) {
    throw new HttpProblem(400, 'invalid_host', 'Exactly one valid Host header is required');
  }
  const expectation = raw.headers.expect?.trim().toLowerCase();
  if (isHttp11 && expectation !== undefined && expectation !== '100-continue') {
    throw new HttpProblem(417, 'expectation_failed', 'Unsupported expectation', {
      details: { supported: '100-continue' },
    });
  }
}
