import { randomUUID } from 'node:crypto';

import { WebStandardStreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/webStandardStreamableHttp.js';
import {
  CancelledNotificationSchema,
  isInitializeRequest,
  JSONRPCMessageSchema,
} from '@modelcontextprotocol/sdk/types.js';
import { Controller, Inject, Post } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';

import { BODY_BYTES_MAX } from '../http/body-parser.js';
import { ConcurrentRequests } from '../http/concurrent-requests.js';
import { type Exchange, HttpExchange } from '../http/http-commands.js';
import { liveResponse } from '../http/live-response.js';
import { OriginChecked } from '../http/origin-check.js';
import { RateLimitedAsRead } from '../http/rate-limit/rate-limit-guard.js';
import { Caller, type CallerContext } from '../http/request-context.js';
import { BodyLimit, JsonUnread } from '../http/route-options.js';
import { ForAnyKey } from '../http/scopes.js';
import { releaseSlot } from '../http/user-concurrency.js';
import { afterThisTurn } from '../platform/async/delay.js';
import type { Log } from '../platform/telemetry/log.js';
import { loopbackClient } from './loopback-client.js';
import { McpSession } from './mcp-session.js';
import { OpenPosts } from './open-posts.js';
import type { CallObservation } from './tool-calls.js';

/** What the composition gives the controller. */
export const MCP_OPTIONS = Symbol('MCP options');
export interface McpOptions {
  readonly log: Log;
  readonly version: string;
}

const SESSION_HEADER = 'mcp-session-id';
const SESSION_ID = /^[0-9a-f-]{36}$/;

/**
 * MCP, transport "Streamable HTTP", without state: each POST has a session of its own, and may reach any process. GET
 * and DELETE are a 405, which the specification has for servers without streams and sessions.
 */
@ApiExcludeController()
@Controller('mcp')
export class McpController {
  private readonly open = new OpenPosts();

  constructor(
    @Inject(MCP_OPTIONS) private readonly options: McpOptions,
    private readonly requests: ConcurrentRequests,
  ) {}

  @Post()
  @ForAnyKey()
  @OriginChecked()
  @RateLimitedAsRead()
  @JsonUnread()
  @BodyLimit(BODY_BYTES_MAX)
  async post(@Caller() caller: CallerContext, @HttpExchange() { request, reply }: Exchange) {
    const ended = this.requests.enter('wait', caller.userId, reply);
    // The requests that it causes have slots of their own.
    releaseSlot(request);
    const messages = messagesIn(request.body);
    const key = keyOf(request, caller);
    for (const message of messages) this.passOn(message, key);
    const session = this.sessionOf(request, caller);
    const transport = new WebStandardStreamableHTTPServerTransport({ enableJsonResponse: !messages.some(isToolCall) });
    await session.connect(transport);
    const forget = this.open.add(key, { session, transport });
    const end = (): void => {
      forget();
      this.close(session);
    };
    if (ended.aborted) end();
    else ended.addEventListener('abort', end);
    const response = await transport.handleRequest(webRequestOf(request));
    if (messages.some(isInitializeRequest)) void reply.header(SESSION_HEADER, randomUUID());
    if (response.body !== null && isStream(response)) void this.closeWhenIdle(session);
    return send(reply, response);
  }

  /** A cancellation of a tool that an earlier POST runs. */
  private passOn(message: unknown, key: string): void {
    if (!CancelledNotificationSchema.safeParse(message).success) return;
    const parsed = JSONRPCMessageSchema.safeParse(message);
    if (parsed.success) this.open.cancel(key, parsed.data);
  }

  private sessionOf(request: FastifyRequest, { userId }: CallerContext): McpSession {
    const { log, version } = this.options;
    const onCall = ({ tool, outcome, durationMs, bug }: CallObservation): void => {
      const facts = { request_id: request.id, user_id: userId, tool, outcome, duration_ms: Math.round(durationMs) };
      if (bug === undefined) log.info(facts, 'MCP tool call');
      else log.error({ ...facts, err: bug }, 'MCP tool call failed');
    };
    return new McpSession({ vr: loopbackClient(request), version, onCall });
  }

  /** A call that was cancelled has no response, so the stream does not end by itself. */
  private async closeWhenIdle(session: McpSession): Promise<void> {
    // The calls begin in this turn.
    await afterThisTurn();
    await session.idle();
    // The responses are written first.
    await afterThisTurn();
    this.close(session);
  }

  private close(session: McpSession): void {
    session.close().catch((err: unknown) => this.options.log.error({ err }, 'MCP session failed to close'));
  }
}

/** Of one user, or of everybody without a session: its requests are not cancelled by notifications. */
function keyOf({ headers }: FastifyRequest, { userId, key }: CallerContext): string {
  const id = headers[SESSION_HEADER];
  const session = typeof id === 'string' && SESSION_ID.test(id) ? id : randomUUID();
  return `${userId}/${key?.id ?? ''}/${session}`;
}

/** Only to choose the form of the response; the transport reads and checks the content. */
function messagesIn(body: unknown): readonly unknown[] {
  try {
    return [JSON.parse((body as Buffer).toString()) as unknown].flat();
  } catch {
    return [];
  }
}

/** It takes long: a stream has heartbeats and progress. */
const isToolCall = (message: unknown): boolean =>
  typeof message === 'object' && message !== null && 'method' in message && message.method === 'tools/call';

const isStream = ({ headers }: Response): boolean => headers.get('content-type') === 'text/event-stream';

/** The transport needs these headers. */
function webRequestOf({ headers, body }: FastifyRequest): Request {
  const passed = Object.fromEntries(
    ['accept', 'content-type', 'mcp-protocol-version'].flatMap((name) => {
      const value = headers[name];
      return typeof value === 'string' ? [[name, value] as const] : [];
    }),
  );
  // Its URL appears nowhere.
  return new Request('http://localhost/mcp', {
    method: 'POST',
    headers: passed,
    body: (body as Buffer | undefined) ?? '',
  });
}

async function send(reply: FastifyReply, response: Response) {
  void reply.code(response.status);
  const type = response.headers.get('content-type');
  if (type !== null) void reply.type(type);
  if (response.body !== null && isStream(response)) return liveResponse(reply, response.body);
  return response.body === null ? undefined : response.text();
}
