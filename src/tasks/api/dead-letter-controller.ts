import { Controller, Delete, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { QueryBus } from '@nestjs/cqrs';
import { ApiBearerAuth, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';

import { apiPath } from '../../http/api-path.js';
import { ConditionalRead, ConditionalWrite } from '../../http/conditional/api-conditions.js';
import { writeConditionOf } from '../../http/conditional/write-condition.js';
import { ApiProblems } from '../../http/docs/api-problems.js';
import { documentedHeaders } from '../../http/docs/documented-headers.js';
import { message } from '../../http/docs/message-schema.js';
import { type Exchange, HttpCommands, HttpExchange } from '../../http/http-commands.js';
import { Idempotent } from '../../http/idempotency/idempotency-key.js';
import { IdempotentRequests } from '../../http/idempotency/idempotent-requests.js';
import { BY_OFFSET_OR_CURSOR } from '../../http/listing/list-query.js';
import { Caller, type CallerContext, metadataOf } from '../../http/request-context.js';
import { uuidParam } from '../../http/validation/params.js';
import { ForKeys } from '../../http/scopes.js';
import { DiscardDeadLetter, RedriveExecution } from '../domain/execution-commands.js';
import { GetExecution, GetExecutionFromLog, ListExecutions, requireDeadLetter } from '../queries/execution-queries.js';
import { ExecutionResponses } from './execution-responses.js';
import { deadLetterList, executionView, listDeadLettersQuery, type ListDeadLettersQuery } from './execution-schemas.js';

const executionId = uuidParam('Invalid execution ID format');

/** Executions with no attempts left. A dead letter has the id of its execution. */
@ApiTags('dead letters')
@ApiBearerAuth()
@ApiProblems(400, 401, 429, 503)
@Controller(apiPath('dead-letters'))
export class DeadLetterController {
  constructor(
    private readonly commands: HttpCommands,
    private readonly queries: QueryBus,
    private readonly responses: ExecutionResponses,
    private readonly requests: IdempotentRequests,
  ) {}

  @Get()
  @ForKeys('executions:read')
  @ApiOperation({ summary: 'List dead letters', description: BY_OFFSET_OR_CURSOR, operationId: 'listDeadLetters' })
  @ApiOkResponse({ standardSchema: deadLetterList, description: 'Your dead letters; for an admin, those of all users' })
  async list(
    @Query({ schema: listDeadLettersQuery }) query: ListDeadLettersQuery,
    @Caller() caller: CallerContext,
    @HttpExchange() { reply }: Exchange,
  ) {
    const ownerId = caller.isAdmin ? undefined : caller.userId;
    const page = await this.queries.execute(new ListExecutions(ownerId, { deadLetters: true }, query));
    return this.responses.page('dead_letters', page, query, { ...caller, reply });
  }

  @Get(':id')
  @ForKeys('executions:read')
  @ConditionalRead()
  @ApiOperation({
    summary: 'Get a dead letter',
    description: 'A dead letter has the id of its execution.',
    operationId: 'getDeadLetter',
  })
  @ApiOkResponse({
    standardSchema: executionView,
    description: 'The execution that failed with no attempts left',
    headers: documentedHeaders('ETag'),
  })
  @ApiProblems(403, 404)
  async get(
    @Param('id', executionId) id: string,
    @Caller() caller: CallerContext,
    @HttpExchange() { reply }: Exchange,
  ) {
    const row = requireDeadLetter(await this.queries.execute(new GetExecution(id, caller)));
    return this.responses.one(row, { ...caller, reply });
  }

  @Post(':id/redrive')
  @ForKeys('executions:write')
  @Idempotent()
  @HttpCode(200)
  @ApiOperation({
    summary: 'Redrive a dead letter',
    description: 'Executes it again, with the full number of attempts of its retry policy. Attempt numbers continue.',
    operationId: 'redriveDeadLetter',
  })
  @ApiOkResponse({
    standardSchema: executionView,
    description: 'The execution, which waits for a worker again',
    headers: documentedHeaders('ETag'),
  })
  @ApiProblems(403, 404, 409)
  async redrive(
    @Param('id', executionId) id: string,
    @Caller() caller: CallerContext,
    @HttpExchange() exchange: Exchange,
  ) {
    const { version } = await this.requests.run(exchange, caller.userId, async (mark) => {
      await this.commands.execute(new RedriveExecution(id, caller, { ...metadataOf(caller, id), ...mark }), exchange);
      return id;
    });
    const row = await this.queries.execute(new GetExecutionFromLog(id, version));
    return this.responses.one(row, { ...caller, ...exchange });
  }

  @Delete(':id')
  @ForKeys('executions:write')
  @ConditionalWrite()
  @HttpCode(200)
  @ApiOperation({
    summary: 'Discard a dead letter',
    description: 'This is permanent: the execution cannot be redriven afterwards.',
    operationId: 'discardDeadLetter',
  })
  @ApiOkResponse({ standardSchema: message, description: 'Discarded; the execution and its history remain' })
  @ApiProblems(403, 404, 409)
  async discard(
    @Param('id', executionId) id: string,
    @Caller() caller: CallerContext,
    @HttpExchange() exchange: Exchange,
  ) {
    const command = new DiscardDeadLetter(id, caller, metadataOf(caller, id), writeConditionOf(exchange.request));
    await this.commands.execute(command, exchange);
    return { message: 'Dead letter discarded successfully' };
  }
}
