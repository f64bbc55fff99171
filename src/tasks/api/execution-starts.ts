import { Injectable } from '@nestjs/common';
import { QueryBus } from '@nestjs/cqrs';

import type { EventMetadata } from '../../event-sourcing/core/event.js';
import { API_BASE } from '../../http/api-path.js';
import { ConcurrentRequests } from '../../http/concurrent-requests.js';
import { type Exchange, HttpCommands } from '../../http/http-commands.js';
import { IdempotentRequests } from '../../http/idempotency/idempotent-requests.js';
import { type CallerContext, metadataOf } from '../../http/request-context.js';
import { releaseLargeBody } from '../../http/large-bodies.js';
import { releaseSlot } from '../../http/user-concurrency.js';
import { newId } from '../../kernel/uuid.js';
import { emptyInput, type SubmittedInput } from '../commands/input-store.js';
import { ExecutionEnds } from '../queries/execution-ends.js';
import type { ExecutionRow } from '../queries/execution-projection.js';
import { GetExecutionFromLog } from '../queries/execution-queries.js';
import { ExecutionResponses } from './execution-responses.js';
import { emptyTests } from './submitted-suite.js';
import type { SubmittedTests } from './suite-schemas.js';

/** Issues the command that starts the execution with the given id. @returns its position */
export type Start = (executionId: string, metadata: EventMetadata) => Promise<bigint | null>;

/** What a request was sent with, besides the definition of its task. */
export interface Submitted {
  readonly input?: SubmittedInput | undefined;
  readonly tests?: SubmittedTests | null | undefined;
}

/** The common part of all requests that start an execution: idempotency key, wait and response. */
@Injectable()
export class ExecutionStarts {
  constructor(
    private readonly commands: HttpCommands,
    private readonly queries: QueryBus,
    private readonly responses: ExecutionResponses,
    private readonly executionEnds: ExecutionEnds,
    private readonly open: ConcurrentRequests,
    private readonly requests: IdempotentRequests,
  ) {}

  /** @returns the response. The parameters are those of `execution` */
  async run(exchange: Exchange, caller: CallerContext, waitSeconds: number, start: Start, submitted: Submitted = {}) {
    const row = await this.execution(exchange, caller, waitSeconds, start, submitted);
    void exchange.reply.header('location', `/${API_BASE}/executions/${row.id}`);
    return this.responses.one(row, { ...caller, ...exchange });
  }

  /**
   * @param waitSeconds maximum wait for the end of the execution; 0: returns what was recorded
   * @param submitted its texts are emptied if the request was carried out before: `start` does so in the other case
   */
  async execution(
    exchange: Exchange,
    caller: CallerContext,
    waitSeconds: number,
    start: Start,
    { input, tests }: Submitted = {},
  ): Promise<ExecutionRow> {
    const leaving = waitSeconds > 0 ? this.open.enter('wait', caller.userId, exchange.reply) : null;
    let position: bigint | null = null;
    const { id, version } = await this.requests.run(exchange, caller.userId, async (mark) => {
      const executionId = newId();
      position = await start(executionId, { ...metadataOf(caller, executionId), ...mark });
      return executionId;
    });
    if (position === null) {
      if (input) emptyInput(input);
      if (tests) emptyTests(tests);
    }
    if (leaving) onlyWaits(exchange);
    // With a key, more was read since: the end may have been announced.
    const isNew = position !== null && version === undefined;
    const ended = leaving && (await this.executionEnds.wait(id, waitSeconds * 1_000, leaving, { isNew }));
    // A client that sees the request or the end in this response must also find it in lists.
    await this.commands.waitUntilReadable(ended ? ended.aheadOfView : position, exchange);
    return ended ? ended.row : this.queries.execute(new GetExecutionFromLog(id, leaving ? undefined : version));
  }
}

/** What the request sent is stored, and no longer in memory: others can run. */
function onlyWaits({ request }: Exchange): void {
  releaseSlot(request);
  releaseLargeBody(request);
}
