import { type ArgumentsHost, Catch, type ExceptionFilter } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';

import type { Log } from '../platform/telemetry/log.js';
import { dialectOf } from './dialect.js';
import { releaseLargeBody } from './large-bodies.js';
import { type Failure, failureOf, headersOf, PROBLEM_CONTENT_TYPE, problemOf } from './problem.js';
import { pathOf } from './request-path.js';
import { closeOnUnreadContent } from './unread-content.js';

/** The only place that turns an error into a response: for controllers, guards, pipes, hooks and Fastify itself. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  constructor(private readonly log: Log) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    sendProblem(error, http.getRequest<FastifyRequest>(), http.getResponse<FastifyReply>(), this.log);
  }
}

export function sendProblem(error: unknown, request: FastifyRequest, reply: FastifyReply, log: Log): void {
  const failure = failureOf(error);
  releaseLargeBody(request);
  report(failure, error, request, log);
  if (reply.raw.headersSent || reply.raw.destroyed) {
    // Part of the response is sent (a stream failed): only a closed connection can still signal the error.
    reply.raw.destroy();
    return;
  }
  const { status, type, body } = responseTo(failure, request);
  void reply.code(status);
  closeOnUnreadContent(request, reply);
  void reply.headers(headersOf(failure)).type(type).serializer(JSON.stringify).send(body);
}

function responseTo(failure: Failure, request: FastifyRequest) {
  const dialect = dialectOf(request);
  if (dialect) return { type: 'application/json; charset=utf-8', ...dialect.errorOf(failure) };
  const body = problemOf(failure, { instance: pathOf(request.url), requestId: request.id });
  return { type: PROBLEM_CONTENT_TYPE, status: failure.status, body };
}

function report(failure: Failure, error: unknown, request: FastifyRequest, log: Log): void {
  const facts = { request_id: request.id, method: request.method, route: request.routeOptions.url };
  if (failure.bug !== undefined) log.error({ ...facts, err: error }, 'request failed');
  else if (failure.code === 'unavailable') log.warn({ ...facts, err: error }, 'dependency unavailable');
}
