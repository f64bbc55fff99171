import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import { QueryBus } from '@nestjs/cqrs';
import { ApiAcceptedResponse, ApiBearerAuth, ApiOperation, ApiTags } from '@nestjs/swagger';

import { API_BASE, apiPath } from '../../http/api-path.js';
import { ApiProblems } from '../../http/docs/api-problems.js';
import { documentedHeaders } from '../../http/docs/documented-headers.js';
import { type Exchange, HttpCommands, HttpExchange } from '../../http/http-commands.js';
import { Idempotent } from '../../http/idempotency/idempotency-key.js';
import { IdempotentRequests } from '../../http/idempotency/idempotent-requests.js';
import { HttpProblem } from '../../http/problem.js';
import { Caller, type CallerContext, metadataOf } from '../../http/request-context.js';
import { ForKeys } from '../../http/scopes.js';
import { DomainError } from '../../kernel/errors.js';
import { newId } from '../../kernel/uuid.js';
import { CreateRerunBatch } from '../domain/batch-commands.js';
import { GetBatchItems } from '../queries/batch-queries.js';
import { CountStartingBatches, FindRerunSources } from '../queries/rerun-sources.js';
import { OperatorRules } from './operator-rules.js';
import { createdRerunsView, rerunManyBody, type RerunManyBody } from './rerun-batch-schemas.js';

/** A user's batches that wait to be started. Each holds up to a thousand executions. */
export const STARTING_BATCHES_MAX = 10;
/** A batch that only waits for its turn is over within minutes. */
const RETRY_AFTER_SECONDS = 60;

/** Many executions like earlier ones. */
@ApiTags('executions')
@ApiBearerAuth()
@ApiProblems(400, 401, 413, 415, 422, 429, 503)
@Controller(apiPath('executions'))
export class RerunBatchController {
  constructor(
    private readonly commands: HttpCommands,
    private readonly queries: QueryBus,
    private readonly requests: IdempotentRequests,
    private readonly rules: OperatorRules,
  ) {}

  @Post('rerun')
  @ForKeys('executions:write')
  @Idempotent()
  @HttpCode(202)
  @ApiOperation({
    summary: 'Execute many again',
    description:
      'Repeats your executions that have ended (dead letters too: they remain) and match the filter, oldest first, as ' +
      '`POST /executions/{id}/rerun` repeats one. Responds with a batch, which starts them one after another, each as ' +
      'soon as its task allows (`max_parallel`), at most about ten per second. Executions that can no longer be ' +
      'started are `refused` in the batch. 422 if nothing matches. At most 10 batches of a user may wait (429).',
    operationId: 'rerunExecutions',
  })
  @ApiAcceptedResponse({
    standardSchema: createdRerunsView,
    description: 'The batch is recorded, and its executions wait to be started',
    headers: documentedHeaders('Location'),
  })
  async rerun(
    @Body({ schema: rerunManyBody }) { filter, definition, overrides, limit }: RerunManyBody,
    @Caller() caller: CallerContext,
    @HttpExchange() exchange: Exchange,
  ) {
    const accepted = this.rules.accept(overrides, 'overrides.');
    const { id } = await this.requests.run(exchange, caller.userId, async (mark) => {
      const created = newId();
      const sources = await this.sourcesOf(caller.userId, filter, limit);
      const metadata = { ...metadataOf(caller, created), ...mark };
      const settings = { definition, overrides: accepted };
      await this.commands.execute(new CreateRerunBatch(created, caller.userId, sources, settings, metadata), exchange);
      return created;
    });
    void exchange.reply.header('location', `/${API_BASE}/batches/${id}`);
    const items = await this.queries.execute(new GetBatchItems(id));
    return {
      id,
      executions: items.map(({ index, executionId, sourceId }) => ({ index, id: executionId, rerun_of: sourceId })),
    };
  }

  private async sourcesOf(ownerId: string, filter: RerunManyBody['filter'], limit: number): Promise<readonly string[]> {
    if ((await this.queries.execute(new CountStartingBatches(ownerId))) >= STARTING_BATCHES_MAX) {
      throw new DomainError('batches_waiting', 'Too many batches wait to be started', 'too_many', {
        limit: 'starting_batches',
        max: STARTING_BATCHES_MAX,
        retry_after: RETRY_AFTER_SECONDS,
      });
    }
    const sources = await this.queries.execute(new FindRerunSources(ownerId, filter, limit));
    if (sources.length === 0) throw new HttpProblem(422, 'nothing_to_rerun', 'No ended execution matches the filter');
    return sources;
  }
}
