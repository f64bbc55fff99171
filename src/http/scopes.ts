import { applyDecorators } from '@nestjs/common';
import { ApiExtension, ApiSecurity } from '@nestjs/swagger';

import { routeConfig } from './route-options.js';

/** What an API key may do. An access token of a login may do everything. */
export const SCOPES = [
  'tasks:read',
  'tasks:write',
  'executions:read',
  'executions:write',
  'events:read',
  'webhooks:write',
  'usage:read',
] as const;
export type Scope = (typeof SCOPES)[number];

declare module 'fastify' {
  interface FastifyContextConfig {
    /** `any`: the handler's own requests need scopes, and it does nothing itself. */
    scope?: Scope | 'any';
  }
}

/** The security scheme of the document for X-API-Key. */
export const KEY_SCHEME = 'api_key';
/** Of an operation, until its description says it. */
export const SCOPE_EXTENSION = 'x-scope';

/** The scope that an API key needs for the route. A route without one, and without `@Public()`, takes no API key. */
export const ForKeys = (scope: Scope) =>
  applyDecorators(routeConfig({ scope }), ApiSecurity(KEY_SCHEME), ApiExtension(SCOPE_EXTENSION, scope));

/** The route takes every API key: what it does, it does by requests to other routes with the same key. */
export const ForAnyKey = () => routeConfig({ scope: 'any' });
