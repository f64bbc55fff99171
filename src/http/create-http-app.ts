import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';

import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

import { Unavailable } from '../kernel/errors.js';
import type { Log } from '../platform/telemetry/log.js';
import type { RequestObservation } from '../platform/telemetry/observations.js';
import { Credentials, AuthGuard } from './auth-guard.js';
import { BODY_BYTES_MAX, parseBodies, refuseUnstorableQuery } from './body-parser.js';
import { applyConditions } from './conditional/apply-conditions.js';
import type { ConnectionLimits } from './connection-limits.js';
import { corsOptions } from './cors.js';
import { type Dialect, recogniseDialects } from './dialect.js';
import type { DocsOptions } from './docs/openapi-document.js';
import { serveDocs } from './docs/serve-docs.js';
import { deferContinue } from './expect-continue.js';
import { limitHeldBodies } from './large-bodies.js';
import { respondToMalformedHttp, refuseTunnels } from './malformed-http.js';
import { ProblemFilter, sendProblem } from './problem-filter.js';
import { RateLimitGuard } from './rate-limit/rate-limit-guard.js';
import type { RateLimiter } from './rate-limit/rate-limiter.js';
import { callerOf, REQUEST_ID_HEADER, requestIdFrom } from './request-context.js';
import { guardRequests, type RequestLimits } from './request-gate.js';
import { checkHead } from './request-head.js';
import { applyBodyLimits } from './route-options.js';
import { respondToUnknownRoutes } from './route-table.js';
import { setSecurityHeaders } from './security-headers.js';
import { SchemaPipe } from './validation/schema-pipe.js';

export interface HttpAppOptions extends RequestLimits {
  readonly log: Log;
  /** Networks of proxies whose X-Forwarded-* headers are trusted. None by default: anyone can send these headers. */
  readonly trustProxy?: readonly string[];
  /** Origins whose pages may call the API from a browser; none by default. */
  readonly corsAllowedOrigins?: readonly string[];
  /** Of the façades that are on. */
  readonly dialects?: readonly Dialect[];
  /** Absent: no rate limits. */
  readonly rateLimiter?: RateLimiter | undefined;
  /** A client that takes longer to send the content of a request gets a 408. */
  readonly contentMsMax?: number;
  /** Absent: no limit on connections. */
  readonly connections?: ConnectionLimits;
  /** Absent: no `/docs`, `/swagger.json` and `/api`. */
  readonly docs?: DocsOptions;
  /** Called for each request after its response is sent. */
  readonly onResponseSent?: (request: RequestObservation) => void;
}

/** From the first byte of a request to the last of its head; a slower one ends with a 408. */
const HEAD_TIMEOUT_MS = 30_000;
/**
 * To the last byte of its content. It may wait for three slots before its content is read, which has a timeout of its
 * own (read-content.ts).
 */
const REQUEST_TIMEOUT_MS = 180_000;
/** More than the 60 s of load balancers, so that they never write to a connection that the server has just closed. */
const KEEP_ALIVE_TIMEOUT_MS = 72_000;
/** Longer than any id, so that an invalid id is a 400 from the route and not a 414 from the router. */
const PATH_PARAMETER_CHARS_MAX = 2_048;

type RootModule = Parameters<typeof NestFactory.create>[0];

/** A Nest application on Fastify with the common parts of every API. It is neither initialised nor listening. */
export async function createHttpApp(module: RootModule, options: HttpAppOptions): Promise<NestFastifyApplication> {
  const adapter = fastifyAdapter(options);
  const fastify: FastifyInstance = adapter.getInstance();
  prepare(fastify, options);
  const app = await NestFactory.create<NestFastifyApplication>(module, adapter, {
    bodyParser: false,
    logger: false,
    abortOnError: false,
  });
  app.useGlobalFilters(new ProblemFilter(options.log));
  app.useGlobalPipes(new SchemaPipe());
  const authentication = new AuthGuard(app.get(Credentials, { strict: false }));
  const rateLimits = options.rateLimiter && new RateLimitGuard(options.rateLimiter);
  guardRequests(fastify, authentication, rateLimits, options);
  const origins = options.corsAllowedOrigins ?? [];
  if (origins.length > 0) app.enableCors(corsOptions(origins, options.dialects));
  if (options.docs) serveDocs(app, options.docs);
  return app;
}

const fastifyAdapter = (options: HttpAppOptions): FastifyAdapter =>
  new FastifyAdapter({
    bodyLimit: BODY_BYTES_MAX,
    trustProxy: options.trustProxy?.length ? [...options.trustProxy] : false,
    requestTimeout: REQUEST_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
    // checkHead responds to an HTTP/1.1 request without Host.
    http: { requireHostHeader: false, headersTimeout: HEAD_TIMEOUT_MS },
    // refuseWhileClosing sends the response while the server closes, not Fastify.
    return503OnClosing: false,
    requestIdHeader: false,
    genReqId: (request: IncomingMessage) => requestIdFrom(request.headers[REQUEST_ID_HEADER]),
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: PATH_PARAMETER_CHARS_MAX },
    clientErrorHandler: (error: Error & { code?: string }, socket: Socket) => respondToMalformedHttp(error, socket),
    // The router refuses a malformed URL before any hook runs.
    frameworkErrors: (error: Error, request: FastifyRequest, reply: FastifyReply) => {
      setSecurityHeaders(request, reply);
      sendProblem(error, request, reply, options.log);
    },
  });

function prepare(fastify: FastifyInstance, options: HttpAppOptions): void {
  const { log, connections, contentMsMax, onResponseSent, dialects = [] } = options;
  connections?.attach(fastify.server);
  deferContinue(fastify.server);
  refuseTunnels(fastify.server);
  parseBodies(fastify, contentMsMax);
  limitHeldBodies(fastify);
  applyBodyLimits(fastify);
  recogniseDialects(fastify, dialects);
  fastify.addHook('onRequest', async (request, reply) => setSecurityHeaders(request, reply));
  fastify.addHook('onRequest', async (request) => checkHead(request));
  refuseWhileClosing(fastify);
  respondToUnknownRoutes(fastify);
  fastify.addHook('preHandler', refuseUnstorableQuery);
  applyConditions(fastify);
  fastify.addHook('onResponse', async (request, reply) => {
    logRequest(request, reply, log);
    const { method, routeOptions } = request;
    onResponseSent?.({ method, route: routeOptions.url, status: reply.statusCode, durationMs: reply.elapsedTime });
  });
}

/** At shutdown, requests on open connections get a 503 that says when to retry, in the usual error format. */
function refuseWhileClosing(fastify: FastifyInstance): void {
  let closing = false;
  fastify.addHook('preClose', async () => {
    closing = true;
  });
  fastify.addHook('onRequest', async (_request, reply) => {
    if (!closing) return;
    reply.header('connection', 'close');
    throw new Unavailable('server', 'shutting down');
  });
}

function logRequest(request: FastifyRequest, reply: FastifyReply, log: Log): void {
  log.info(
    {
      request_id: request.id,
      method: request.method,
      // The pattern, not the path: it has a fixed set of values and no text from the caller.
      route: request.routeOptions.url,
      status: reply.statusCode,
      duration_ms: Math.round(reply.elapsedTime * 10) / 10,
      user_id: callerOf(request)?.userId,
    },
    'request',
  );
}

/** Stops accepting, waits for open requests, and closes the remaining connections after the timeout. */
export async function closeHttpApp(app: NestFastifyApplication, timeoutMs: number): Promise<void> {
  const server = app.getHttpServer();
  const cutOff = setTimeout(() => server.closeAllConnections(), timeoutMs);
  try {
    await app.close();
  } finally {
    clearTimeout(cutOff);
  }
}
