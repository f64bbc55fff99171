import { randomUUID } from 'node:crypto';

import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';

import type { EventMetadata } from '../event-sourcing/core/event.js';
import type { Scope } from './scopes.js';

/** The user of a credential: of an access token, which belongs to a session, or of an API key. */
export interface CallerIdentity {
  readonly userId: string;
  readonly isAdmin: boolean;
  /** Null for an API key. */
  readonly sessionId: string | null;
  /** Null for an access token. */
  readonly key: CallerKey | null;
}

export interface CallerKey {
  readonly id: string;
  readonly scopes: readonly Scope[];
}

/** A caller who has logged in. */
export interface SessionIdentity extends CallerIdentity {
  readonly sessionId: string;
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

/** `@SessionCaller() caller: SessionIdentity & CallerContext`. Only on routes that take no API key. */
export const SessionCaller = createParamDecorator((_data: unknown, context: ExecutionContext) => {
  const caller = callerOf(context.switchToHttp().getRequest<FastifyRequest>());
  if (!caller || caller.sessionId === null) throw new Error('@SessionCaller() on a route that takes an API key');
  return caller as CallerContext & SessionIdentity;
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
  { userId, requestId, key }: Pick<CallerContext, 'userId' | 'requestId' | 'key'>,
  correlationId = requestId,
): EventMetadata {
  const metadata: EventMetadata = { actor: `user:${userId}`, correlation_id: correlationId, request_id: requestId };
  return key ? { ...metadata, key_id: key.id } : metadata;
}
