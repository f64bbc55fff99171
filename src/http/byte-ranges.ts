import type { FastifyReply, FastifyRequest } from 'fastify';

import { HttpProblem } from './problem.js';

/** Offsets of the first and the last byte. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/** RFC 9110, section 14.1.1. */
const SINGLE_RANGE = /^bytes=[ \t]*(\d*)-(\d*)[ \t]*$/i;

type Asked = Pick<FastifyRequest, 'method' | 'headers'>;

/**
 * The part that a GET asks for (RFC 9110, section 14). The response is the whole for several parts, which the RFC
 * allows, and for a request with conditions, which are about the whole (apply-conditions.ts).
 * @param etag strong, as in the header of the response
 * @returns null for the whole
 * @throws HttpProblem 416
 */
export function byteRangeOf({ method, headers }: Asked, bytes: number, etag: string): ByteRange | null {
  const { range, 'if-range': ifRange, 'if-match': ifMatch, 'if-none-match': ifNoneMatch } = headers;
  const isConditional = ifMatch !== undefined || ifNoneMatch !== undefined;
  if (method !== 'GET' || range === undefined || isConditional) return null;
  if (ifRange !== undefined && ifRange !== etag) return null;
  const parsed = singleRange(range, bytes);
  if (parsed === null) return null;
  if (parsed.start > parsed.end) {
    throw new HttpProblem(416, 'range_not_satisfiable', `The content has ${bytes} bytes`, {
      headers: { 'content-range': `bytes */${bytes}` },
    });
  }
  return parsed;
}

/** The headers and the status of a response with that part, or with the whole. */
export function sendRange(reply: FastifyReply, range: ByteRange | null, bytes: number): void {
  void reply.header('accept-ranges', 'bytes');
  if (range) void reply.code(206).header('content-range', `bytes ${range.start}-${range.end}/${bytes}`);
}

/**
 * Rejected: range-parser 1.3, which refuses the last 500 bytes of a shorter content.
 * @returns null for a malformed header, another unit, or several parts; a range that ends before it starts if the
 *   content has none of its bytes
 */
function singleRange(header: string, bytes: number): ByteRange | null {
  const [, first = '', last = ''] = SINGLE_RANGE.exec(header) ?? [];
  if (first === '' && last === '') return null;
  if (first === '') return { start: Math.max(0, bytes - Number(last)), end: bytes - 1 };
  if (last !== '' && Number(last) < Number(first)) return null;
  return { start: Number(first), end: last === '' ? bytes - 1 : Math.min(Number(last), bytes - 1) };
}
