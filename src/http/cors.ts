import type { Dialect } from './dialect.js';

const PREFLIGHT_MAX_AGE_SECONDS = 600;

/** Options for `app.enableCors`. Only listed origins are allowed: credentials cannot be combined with `*`. */
export const corsOptions = (origins: readonly string[], dialects: readonly Dialect[] = []) => ({
  origin: [...origins],
  credentials: true,
  methods: ['GET', 'HEAD', 'POST', 'PUT', 'DELETE'],
  allowedHeaders: [
    'Authorization',
    'Content-Type',
    'Idempotency-Key',
    'If-Match',
    'If-None-Match',
    'If-Range',
    'Last-Event-ID',
    'Prefer',
    'Range',
    'X-API-Key',
    'X-Request-ID',
    'traceparent',
    'tracestate',
    ...dialects.flatMap(({ keyHeaders }) => keyHeaders),
  ],
  exposedHeaders: [
    'Accept-Ranges',
    'Content-Disposition',
    'Content-Range',
    'ETag',
    'Idempotent-Replayed',
    'Location',
    'RateLimit-Limit',
    'RateLimit-Remaining',
    'RateLimit-Reset',
    'Retry-After',
    'X-Read-Position',
    'X-Request-ID',
  ],
  maxAge: PREFLIGHT_MAX_AGE_SECONDS,
  // Otherwise the plugin responds to a plain OPTIONS with its own 400 in text/plain.
  strictPreflight: false,
});
