import type { OpenAPIObject } from '@nestjs/swagger';

import { problemResponse } from './api-problems.js';
import { documentedHeaders, type HeaderName } from './documented-headers.js';
import { type Scope, SCOPE_EXTENSION } from '../scopes.js';
import type { JsonSchema } from './json-schema.js';

export interface Operation {
  description?: string;
  [SCOPE_EXTENSION]?: Scope;
  security?: object[];
  parameters?: readonly { readonly name: string; readonly in: string }[];
  readonly requestBody?: { required?: boolean; readonly content: Record<string, { readonly schema?: JsonSchema }> };
  readonly responses: Record<string, Response>;
}

interface Response {
  headers?: JsonSchema;
  readonly content?: Readonly<Record<string, unknown>>;
}

/** Calls `visit(operation, { path, method })` for each operation of the document. */
export function eachOperation(
  document: OpenAPIObject,
  visit: (operation: Operation, route: { readonly path: string; readonly method: string }) => void,
): void {
  for (const [path, item] of Object.entries(document.paths)) {
    for (const [method, operation] of Object.entries(item)) visit(operation as Operation, { path, method });
  }
}

/** Applies the rules that follow from an operation's kind, so that controllers need not repeat them. */
export function applyOperationRules(document: OpenAPIObject): void {
  eachOperation(document, (operation, { path, method }) => {
    // Without it, the document's default would apply, and linters would report it as missing.
    operation.security ??= [];
    addProblemsOfAnyRoute(operation, path, method);
    const scope = operation[SCOPE_EXTENSION];
    if (scope) operation.description = `${operation.description} An API key needs the scope \`${scope}\`.`;
    // Not every client generator takes an extension.
    delete operation[SCOPE_EXTENSION];
    const isWrite = method !== 'get' && operation.security.length > 0;
    if (isWrite) operation.parameters = [...(operation.parameters ?? []), PREFER];
    addCommonHeaders(operation, isWrite);
  });
}

/**
 * Errors that occur before any route is called: for a malformed query, for an id that is too long, for an unreadable
 * body, even if the route takes none, and for an API key that may not do this.
 */
function addProblemsOfAnyRoute({ responses, security = [] }: Operation, path: string, method: string): void {
  const ofPath = path.includes('{') ? [414] : [];
  const ofKeys = security.length > 0 ? [403] : [];
  const ofBody = method === 'get' ? [] : [408, 413, 415];
  for (const status of [400, ...ofPath, ...ofKeys, ...ofBody]) responses[status] ??= problemResponse(status);
}

/** The header that read-your-writes.ts reads. */
const PREFER = {
  name: 'Prefer',
  in: 'header',
  required: false,
  description: '`respond-async`: respond without waiting until reads show the change (RFC 7240)',
  schema: { type: 'string' },
};

const PROBLEM_TYPE = 'application/problem+json';

function addCommonHeaders({ responses, parameters = [] }: Operation, isWrite: boolean): void {
  const isLimited = '429' in responses;
  const takesKey = parameters.some(({ name }) => name === 'Idempotency-Key');
  for (const [status, response] of Object.entries(responses)) {
    const isProblem = response.content !== undefined && PROBLEM_TYPE in response.content;
    const names: HeaderName[] = [
      'X-Request-ID',
      ...(status === '401' || status === '403' ? (['WWW-Authenticate'] as const) : []),
      ...(status === '429' || (status === '503' && isProblem) ? (['Retry-After'] as const) : []),
      // Requests are counted before anything else is decided about them.
      ...(isLimited ? (['RateLimit-Limit', 'RateLimit-Remaining', 'RateLimit-Reset'] as const) : []),
      ...(takesKey && !isProblem ? (['Idempotent-Replayed'] as const) : []),
      ...(isWrite && !isProblem ? (['X-Read-Position'] as const) : []),
    ];
    response.headers = { ...response.headers, ...documentedHeaders(...names) };
  }
}
