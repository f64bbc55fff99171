import { Controller, Get, Param, Query, type StreamableFile } from '@nestjs/common';
import { QueryBus } from '@nestjs/cqrs';
import { ApiBearerAuth, ApiHeader, ApiNoContentResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';

import type { RecordedEvent } from '../../event-sourcing/core/event.js';
import { historyEntryOf } from '../../event-sourcing/core/history-entry.js';
import { apiPath } from '../../http/api-path.js';
import { ConcurrentRequests } from '../../http/concurrent-requests.js';
import { ApiProblems } from '../../http/docs/api-problems.js';
import { type Exchange, HttpExchange } from '../../http/http-commands.js';
import { historyResponse, historyQuery, type HistoryQuery } from '../../http/listing/history.js';
import { Caller, type CallerContext } from '../../http/request-context.js';
import {
  EVENT_STREAM,
  eventStreamResponse,
  HEARTBEAT_MS,
  lastVersionSeen,
  type ServerSentEvent,
  wantsEvents,
  withHeartbeats,
} from '../../http/server-sent-events.js';
import { releaseSlot, LargeResponses } from '../../http/user-concurrency.js';
import { uuidParam } from '../../http/validation/params.js';
import { ForKeys } from '../../http/scopes.js';
import { requireOwner } from '../../kernel/requester.js';
import { isActive } from '../domain/execution-shape.js';
import { EventFollower } from '../queries/event-follower.js';
import { GetExecutionFromLog, GetExecutionHistory } from '../queries/execution-queries.js';
import { SuiteFollower } from '../queries/suite-follower.js';

const DESCRIPTION =
  'The events of the execution, oldest first, without lease tokens. With `Accept: text/event-stream`, the response ' +
  'follows the execution live until it ends. Each event has its version as `id`, its type as `event` and its JSON ' +
  'form as `data`. A reconnect with `Last-Event-ID` returns only newer events, or 204 if that was the last one. An ' +
  'execution with tests also has an event `test` for each test that was run, with `index`, `name`, `verdict`, `points` ' +
  'and figures as `data`. It has no `id`: after a reconnect, those of the attempt under way come again.';

/** The events of an execution, past and live. */
@ApiTags('executions')
@ApiBearerAuth()
@Controller(apiPath('executions'))
export class ExecutionHistoryController {
  constructor(
    private readonly queries: QueryBus,
    private readonly follower: EventFollower,
    private readonly suiteFollower: SuiteFollower,
    private readonly requests: ConcurrentRequests,
    private readonly largeResponses: LargeResponses,
  ) {}

  @Get(':id/events')
  @ForKeys('events:read')
  @ApiOperation({
    summary: 'Get the history of an execution',
    description: DESCRIPTION,
    operationId: 'executionHistory',
  })
  @ApiHeader({
    name: 'Last-Event-ID',
    required: false,
    description: 'For an event stream: the `id` of the last event received',
  })
  @ApiOkResponse({
    description: 'The history so far, or a live event stream',
    content: {
      'application/json': { schema: { $ref: '#/components/schemas/History' } },
      [EVENT_STREAM]: { schema: { type: 'string' } },
    },
  })
  @ApiNoContentResponse({ description: 'The execution has ended, and the client has received all events' })
  @ApiProblems(400, 401, 403, 404, 429, 503)
  async history(
    @Param('id', uuidParam('Invalid execution ID format')) id: string,
    @Query({ schema: historyQuery }) query: HistoryQuery,
    @Caller() caller: CallerContext,
    @HttpExchange() exchange: Exchange,
  ) {
    if (wantsEvents(exchange)) return this.live(id, query, caller, exchange);
    const { after_version, limit } = query;
    const portions = await this.queries.execute(new GetExecutionHistory(id, caller, after_version, limit + 1));
    return historyResponse(this.largeResponses, portions, query, { userId: caller.userId, reply: exchange.reply });
  }

  private async live(
    id: string,
    { after_version }: HistoryQuery,
    caller: CallerContext,
    { request, reply }: Exchange,
  ): Promise<StreamableFile | undefined> {
    const run = await this.queries.execute(new GetExecutionFromLog(id));
    requireOwner(caller, run.owner_id);
    const seen = lastVersionSeen(request) ?? after_version;
    if (!isActive(run.status) && seen >= run.version) {
      // Only a 204 keeps an EventSource from reconnecting.
      void reply.code(204);
      return undefined;
    }
    const gone = this.requests.enter('follow', caller.userId, reply);
    releaseSlot(request);
    const events = run.test_count > 0 ? this.eventsAndTests(id, seen, gone) : this.events(id, seen, gone);
    return eventStreamResponse(reply, events);
  }

  private async *events(id: string, afterVersion: number, gone: AbortSignal): AsyncGenerator<ServerSentEvent | null> {
    for await (const event of this.follower.follow(id, afterVersion, HEARTBEAT_MS, gone)) {
      yield event && sentEvent(event);
    }
  }

  private async *eventsAndTests(
    id: string,
    afterVersion: number,
    gone: AbortSignal,
  ): AsyncGenerator<ServerSentEvent | null> {
    for await (const news of withHeartbeats(this.suiteFollower.follow(id, afterVersion, gone), HEARTBEAT_MS)) {
      if (news === null) yield null;
      else if (news.kind === 'test') yield { event: 'test', data: news.test };
      else yield sentEvent(news.event);
    }
  }
}

function sentEvent(event: RecordedEvent): ServerSentEvent {
  const entry = historyEntryOf(event);
  return { id: String(entry.version), event: entry.type, data: entry };
}
