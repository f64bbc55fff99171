import { Injectable } from '@nestjs/common';
import { QueryBus } from '@nestjs/cqrs';

import { type Exchange, HttpCommands } from '../../http/http-commands.js';
import { sizedResponse } from '../../http/large-response.js';
import { HttpProblem } from '../../http/problem.js';
import { type CallerContext, metadataOf } from '../../http/request-context.js';
import { LargeResponses } from '../../http/user-concurrency.js';
import { DomainError } from '../../kernel/errors.js';
import { ExecutionStarts } from '../../tasks/api/execution-starts.js';
import { OneShots } from '../../tasks/api/one-shots.js';
import { OperatorRules } from '../../tasks/api/operator-rules.js';
import { CancelExecution } from '../../tasks/domain/execution-commands.js';
import { isActive } from '../../tasks/domain/execution-shape.js';
import { GetExecutionFromLog } from '../../tasks/queries/execution-queries.js';
import type { ExecutionRow } from '../../tasks/queries/execution-projection.js';
import { keptBytesOf } from '../../tasks/queries/output-excerpt.js';
import { RecordedRuns } from '../recorded-runs.js';
import { checkedOneShot, longestWaitSeconds } from '../translated-one-shot.js';
import { limitsIn, oneShotOf, programIn, refused } from './execute-request.js';
import { stagesOf } from './piston-result.js';
import { type PistonRuntime, PistonRuntimes } from './piston-runtimes.js';

/** Of the answer to an execution that did not end in time. */
const RETRY_AFTER_SECONDS = 10;

/** `POST /execute`: an execution that is started, and whose answer is its end. */
@Injectable()
export class PistonExecutions {
  constructor(
    private readonly runtimes: PistonRuntimes,
    private readonly rules: OperatorRules,
    private readonly oneShots: OneShots,
    private readonly starts: ExecutionStarts,
    private readonly runs: RecordedRuns,
    private readonly commands: HttpCommands,
    private readonly queries: QueryBus,
    private readonly largeResponses: LargeResponses,
  ) {}

  async run(body: unknown, caller: CallerContext, exchange: Exchange) {
    const program = programIn(body);
    const { language, version } = program;
    const found = await this.runtimes.find(language, version);
    if (!found) throw refused(`${language}-${version} runtime is unknown`);
    const asked = oneShotOf(program, limitsIn(body, found.runtime, this.rules), found.runtime);
    const oneShot = checkedOneShot(asked);
    const { start, submitted } = this.oneShots.accept(oneShot, caller);
    const waitSeconds = longestWaitSeconds(oneShot, found.runtime);
    const row = await this.starts.execution(exchange, caller, waitSeconds, start, submitted);
    const ended = isActive(row.status) ? await this.cancelled(row, caller, exchange) : row;
    return this.answer(ended, found, caller, exchange);
  }

  /** Its client waits for an answer, and could not ask for it later. */
  private async cancelled({ id }: ExecutionRow, caller: CallerContext, exchange: Exchange): Promise<ExecutionRow> {
    try {
      await this.commands.execute(new CancelExecution(id, caller, metadataOf(caller, id)), exchange);
    } catch (error) {
      // It has ended in the meantime.
      if (!(error instanceof DomainError)) throw error;
      return this.queries.execute(new GetExecutionFromLog(id));
    }
    throw new HttpProblem(503, 'not_run_in_time', 'The program did not end in time, and was cancelled', {
      retryAfterSeconds: RETRY_AFTER_SECONDS,
    });
  }

  private answer(row: ExecutionRow, { language, version }: PistonRuntime, { userId }: CallerContext, to: Exchange) {
    const bytes = keptBytesOf([row]);
    const read = async () => {
      const outputs = await this.runs.outputs(row);
      return { ...stagesOf(row, outputs, await this.runs.compilerOutputs(row)), language, version };
    };
    void to.reply.header('x-execution-id', row.id);
    return sizedResponse(this.largeResponses, { userId, reply: to.reply, bytes, read });
  }
}
