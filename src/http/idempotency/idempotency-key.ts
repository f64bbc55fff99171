import { createHmac } from 'node:crypto';

import { applyDecorators } from '@nestjs/common';
import { ApiHeader } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';

import { deterministicId } from '../../kernel/uuid.js';
import { ApiProblems } from '../docs/api-problems.js';
import { HttpProblem } from '../problem.js';
import { canonical } from '../validation/params.js';

export const IDEMPOTENCY_KEY_CHARS_MAX = 255;
const KEY = new RegExp(String.raw`^[\x21-\x7e]{1,${IDEMPOTENCY_KEY_CHARS_MAX}}$`);

/** `@Idempotent()`: a POST that honours an Idempotency-Key (draft-ietf-httpapi-idempotency-key-header-07). */
export const Idempotent = () =>
  applyDecorators(
    ApiHeader({
      name: 'Idempotency-Key',
      required: false,
      description: 'Chosen by the client: for 24 h, the same request with the same key is carried out once',
      schema: { type: 'string', minLength: 1, maxLength: IDEMPOTENCY_KEY_CHARS_MAX, pattern: '^[!-~]+$' },
    }),
    ApiProblems(422),
  );

/** A request with an idempotency key: the id of its command, and a digest of its body. */
export class KeyedRequest {
  private constructor(
    private readonly scope: readonly string[],
    readonly digest: string,
  ) {}

  /** @returns undefined for a request without a key. @throws HttpProblem 400 */
  static of(request: FastifyRequest, userId: string): KeyedRequest | undefined {
    const key = request.headers['idempotency-key'];
    if (key === undefined) return undefined;
    if (typeof key !== 'string' || !KEY.test(key)) {
      const detail = `Idempotency-Key takes 1 to ${IDEMPOTENCY_KEY_CHARS_MAX} visible ASCII characters`;
      throw new HttpProblem(400, 'invalid_idempotency_key', detail);
    }
    return new KeyedRequest([userId, ...routeOf(request), key], digestOf(key, request.body));
  }

  /** @param generation how often the key was used and expired before: an event id cannot be used again */
  commandId(generation: number): string {
    return deterministicId('idempotency-key', ...this.scope, generation);
  }
}

/** The same for every form of the URL: upper case, percent-encoded, with a trailing slash, or absolute. */
function routeOf({ method, routeOptions, params }: FastifyRequest): string[] {
  const values = Object.entries(params as Record<string, string>).map(([name, value]) => `${name}=${canonical(value)}`);
  return [method, routeOptions.url!, ...values.toSorted()];
}

/**
 * The digest of the body, independent of the order of its members. It is keyed because the log keeps it without limit
 * and the body contains scripts and secrets: without the key, which is not stored, nobody can test a guess.
 */
const digestOf = (key: string, body: unknown): string =>
  createHmac('sha256', key)
    .update(body instanceof Uint8Array ? body : JSON.stringify(body ?? null, inOrder))
    .digest('hex');

const inOrder = (_name: string, value: unknown): unknown =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value).toSorted(([one], [other]) => (one < other ? -1 : 1)))
    : value;
