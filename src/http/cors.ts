const PREFLIGHT_MAX_AGE_SECONDS = 600;

/** What `app.enableCors` takes. Only origins that are named: credentials never go with `*`. */
export const corsOptions = (origins: readonly string[]) => ({
  origin: [...origins],
  credentials: true,
  methods: ['GET', 'HEAD', 'POST', 'PUT', 'DELETE'],
  allowedHeaders: [
    'Authorization',
    'Content-Type',
    'Idempotency-Key',
    'If-Match',
    'If-None-Match',
    'Last-Event-ID',
    'Prefer',
    'X-Request-ID',
    'traceparent',
    'tracestate',
  ],
  exposedHeaders: [
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
  // Else a plain OPTIONS is answered by the plugin's own 400 in text/plain.
  strictPreflight: false,
});
