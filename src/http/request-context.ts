import { randomUUID } from 'node:crypto';

import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';

import type { EventMetadata } from '../event-sourcing/core/event.js';

/** The user and session of an access token. */
export interface CallerIdentity {
  readonly userId: string;
  readonly sessionId: string;
  readonly isAdmin: boolean;
}

/** The caller of an authenticated request. Usable as the kernel's Requester. */
export interface CallerContext extends CallerIdentity {
  readonly requestId: string;
}

export const REQUEST_ID_HEADER = 'x-request-id';
const REQUEST_ID = /^[A-Za-z0-9._-]{1,128}$/;

/** The client's X-Request-ID if it is safe to log and store, else a new one (v4: Node generates those in batches). */
export function requestIdFrom(header: string | string[] | undefined): string {
  return typeof header === 'string' && REQUEST_ID.test(header) ? header : randomUUID();
}

/** Each identity lives as long as its request; a WeakMap does not change the request object's shape. */
const identities = new WeakMap<object, CallerIdentity>();

export const identify = (request: FastifyRequest, identity: CallerIdentity): void => {
  identities.set(request.raw, identity);
};

/** The caller, or undefined on a public route. */
export function callerOf(request: FastifyRequest): CallerContext | undefined {
  const identity = identities.get(request.raw);
  return identity && { ...identity, requestId: request.id };
}

/** `@Caller() caller: CallerContext`. Only on routes that are not `@Public()`. */
export const Caller = createParamDecorator((_data: unknown, context: ExecutionContext): CallerContext => {
  const caller = callerOf(context.switchToHttp().getRequest<FastifyRequest>());
  if (!caller) throw new Error('@Caller() on a route without authentication');
  return caller;
});

/** `@RequestId() requestId: string`, on any route. */
export const RequestId = createParamDecorator(
  (_data: unknown, context: ExecutionContext): string => context.switchToHttp().getRequest<FastifyRequest>().id,
);

/**
 * The metadata of the events that this request causes.
 * @param correlationId of the execution that they belong to, if any
 */
export function metadataOf(
  { userId, requestId }: Pick<CallerContext, 'userId' | 'requestId'>,
  correlationId = requestId,
): EventMetadata {
  return { actor: `user:${userId}`, correlation_id: correlationId, request_id: requestId };
}
