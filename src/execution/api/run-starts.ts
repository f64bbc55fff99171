import { Injectable } from '@nestjs/common';
import { QueryBus } from '@nestjs/cqrs';

import type { EventMetadata } from '../../kernel/event.js';
import { newId } from '../../kernel/uuid.js';
import { API_BASE } from '../../platform/http/api-path.js';
import { ConcurrentRequests } from '../../platform/http/concurrent-requests.js';
import { type Exchange, HttpCommands } from '../../platform/http/http-commands.js';
import { RepeatableRequests } from '../../platform/http/idempotency/repeatable-requests.js';
import { type CallerContext, metadataOf } from '../../platform/http/request-context.js';
import { endTurn } from '../../platform/http/user-turns.js';
import { EndedRuns } from '../read/ended-runs.js';
import { GetExecutionFromLog } from '../read/execution-queries.js';
import { ExecutionAnswers } from './execution-answers.js';

/** What all requests that start a run have in common: their key, their wait and their answer. */
@Injectable()
export class RunStarts {
  constructor(
    private readonly commands: HttpCommands,
    private readonly queries: QueryBus,
    private readonly answers: ExecutionAnswers,
    private readonly endedRuns: EndedRuns,
    private readonly open: ConcurrentRequests,
    private readonly requests: RepeatableRequests,
  ) {}

  /**
   * @param waitSeconds for the run's end; 0: answers what was recorded
   * @param start gives the command that starts the run of that id
   */
  async run(
    exchange: Exchange,
    caller: CallerContext,
    waitSeconds: number,
    start: (executionId: string, metadata: EventMetadata) => Promise<void>,
  ) {
    const leaving = waitSeconds > 0 ? this.open.enter('wait', caller.userId, exchange.reply) : null;
    const { id, version } = await this.requests.run(exchange, caller.userId, async (mark) => {
      const executionId = newId();
      await start(executionId, { ...metadataOf(caller, executionId), ...mark });
      return executionId;
    });
    if (leaving) endTurn(exchange.request);
    const ended = leaving && (await this.endedRuns.wait(id, waitSeconds * 1_000, leaving));
    void exchange.reply.header('location', `/${API_BASE}/executions/${id}`);
    // Whoever was told of the end finds it in lists, too.
    if (ended) await this.commands.settle(ended.aheadOfView, exchange);
    const row = ended
      ? ended.row
      : await this.queries.execute(new GetExecutionFromLog(id, leaving ? undefined : version));
    return this.answers.one(row, { ...caller, ...exchange });
  }
}
