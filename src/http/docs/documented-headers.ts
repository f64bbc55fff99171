/** Response headers, each defined once; operations refer to them. Headers that are always sent are required. */
export const RESPONSE_HEADERS = {
  'X-Request-ID': {
    description: 'The id of the request, as in logs and errors: the one that the client sent, or a new one',
    required: true,
    schema: { type: 'string' },
  },
  'WWW-Authenticate': {
    description: 'How to authenticate, or the scope that an API key lacks (RFC 6750)',
    // Not with every 403.
    required: false,
    schema: { type: 'string' },
  },
  'Retry-After': {
    description: 'Seconds to wait before repeating the request',
    required: true,
    schema: { type: 'integer', format: 'int32', minimum: 1 },
  },
  'RateLimit-Limit': {
    description: 'Maximum requests per window, for the strictest limit that applies to this request',
    schema: { type: 'integer', format: 'int32', minimum: 1 },
  },
  'RateLimit-Remaining': {
    description: 'Requests that remain in the current window',
    schema: { type: 'integer', format: 'int32', minimum: 0 },
  },
  'RateLimit-Reset': {
    description: 'Seconds until the window allows requests again',
    schema: { type: 'integer', format: 'int32', minimum: 1 },
  },
  'Idempotent-Replayed': {
    description:
      'Present if an earlier request with the same Idempotency-Key was already executed; nothing was executed again',
    schema: { type: 'string', enum: ['true'] },
  },
  'X-Read-Position': {
    description:
      'Present if reads may not show the recorded change yet: they have reached this position of the event log',
    schema: { type: 'string' },
  },
  ETag: {
    description: 'The version of the returned resource, or the hash of the returned content',
    required: true,
    schema: { type: 'string' },
  },
  Location: {
    description: 'Path of the created resource',
    required: true,
    schema: { type: 'string', pattern: '^/' },
  },
} as const;

export type HeaderName = keyof typeof RESPONSE_HEADERS;

/** `@ApiCreatedResponse({ headers: documentedHeaders('Location') })`. For common headers: operation-rules.ts. */
export const documentedHeaders = (...names: readonly HeaderName[]): Record<string, { $ref: string }> =>
  Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }]));
