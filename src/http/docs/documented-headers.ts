/** Headers of answers, each said once; operations refer to them. Required are those that always come. */
export const RESPONSE_HEADERS = {
  'X-Request-ID': {
    description: 'The request’s id, in logs and problems too: the one sent, or a new one',
    required: true,
    schema: { type: 'string' },
  },
  'WWW-Authenticate': {
    description: 'How to authenticate (RFC 6750)',
    required: true,
    schema: { type: 'string' },
  },
  'Retry-After': {
    description: 'Seconds to wait before the request is sent again',
    required: true,
    schema: { type: 'integer', format: 'int32', minimum: 1 },
  },
  'RateLimit-Limit': {
    description: 'Requests per window of the tightest limit that counts this request',
    schema: { type: 'integer', format: 'int32', minimum: 1 },
  },
  'RateLimit-Remaining': {
    description: 'Requests left in the window',
    schema: { type: 'integer', format: 'int32', minimum: 0 },
  },
  'RateLimit-Reset': {
    description: 'Seconds until the window has room again',
    schema: { type: 'integer', format: 'int32', minimum: 1 },
  },
  'Idempotent-Replayed': {
    description: 'This answers an earlier request under the same Idempotency-Key',
    schema: { type: 'string', enum: ['true'] },
  },
  'X-Read-Position': {
    description: 'Recorded, but reads may not show it yet: they are at this position of the log',
    schema: { type: 'string' },
  },
  ETag: {
    description: 'The version of what is answered, for If-Match',
    required: true,
    schema: { type: 'string' },
  },
  Location: {
    description: 'Path of what was created',
    required: true,
    schema: { type: 'string', pattern: '^/' },
  },
} as const;

export type HeaderName = keyof typeof RESPONSE_HEADERS;

/** `@ApiCreatedResponse({ headers: answerHeaders('Location') })`. What any answer has is added to all: operation-rules.ts. */
export const documentedHeaders = (...names: readonly HeaderName[]): Record<string, { $ref: string }> =>
  Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }]));
