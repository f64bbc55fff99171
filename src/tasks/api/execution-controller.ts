import { Body, Controller, Delete, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { QueryBus } from '@nestjs/cqrs';
import { ApiBearerAuth, ApiCreatedResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';

import type { EventMetadata } from '../../event-sourcing/core/event.js';
import { API_BASE } from '../../http/api-path.js';
import { BODY_WITH_INPUT_BYTES_MAX } from '../../http/body-parser.js';
import { ConditionalRead, ConditionalWrite } from '../../http/conditional/api-conditions.js';
import { writeConditionOf } from '../../http/conditional/write-condition.js';
import { ApiProblems } from '../../http/docs/api-problems.js';
import { documentedHeaders } from '../../http/docs/documented-headers.js';
import { message } from '../../http/docs/message-schema.js';
import { type Exchange, HttpCommands, HttpExchange } from '../../http/http-commands.js';
import { Idempotent } from '../../http/idempotency/idempotency-key.js';
import { BY_OFFSET_OR_CURSOR } from '../../http/listing/list-query.js';
import { Caller, type CallerContext, metadataOf } from '../../http/request-context.js';
import { BodyLimit } from '../../http/route-options.js';
import { asOfQuery, type AsOfQuery } from '../../http/validation/as-of.js';
import { uuidParam } from '../../http/validation/params.js';
import { ForKeys } from '../../http/scopes.js';
import { DomainError } from '../../kernel/errors.js';
import { requireOwner } from '../../kernel/requester.js';
import { InputStore } from '../commands/input-store.js';
import { CancelExecution, StartExecution } from '../domain/execution-commands.js';
import { GetExecution, GetExecutionAsOf, ListExecutions } from '../queries/execution-queries.js';
import { TaskOwners } from '../queries/task-owners.js';
import { ExecutionResponses, type Receiver } from './execution-responses.js';
import {
  executionList,
  executionView,
  listExecutionsQuery,
  type ListExecutionsQuery,
  startExecutionBody,
  type StartExecutionBody,
  startExecutionQuery,
  type StartExecutionQuery,
} from './execution-schemas.js';
import { ExecutionStarts } from './execution-starts.js';
import { OperatorRules } from './operator-rules.js';
import { pathsOf } from './input-schema.js';
import { SubmittedSuites } from './submitted-suites.js';
import { SubmittedWebhooks } from './submitted-webhooks.js';

const taskId = uuidParam('Invalid task ID format');
const executionId = uuidParam('Invalid execution ID format');

@ApiTags('executions')
@ApiBearerAuth()
@ApiProblems(400, 401, 403, 404, 429, 503)
@Controller(API_BASE)
export class ExecutionController {
  constructor(
    private readonly commands: HttpCommands,
    private readonly queries: QueryBus,
    private readonly inputs: InputStore,
    private readonly suites: SubmittedSuites,
    private readonly responses: ExecutionResponses,
    private readonly taskOwners: TaskOwners,
    private readonly starts: ExecutionStarts,
    private readonly rules: OperatorRules,
    private readonly webhooks: SubmittedWebhooks,
  ) {}

  @Post('tasks/:id/executions')
  @ForKeys('executions:write')
  @Idempotent()
  @BodyLimit(BODY_WITH_INPUT_BYTES_MAX)
  @ApiOperation({
    summary: 'Execute a task',
    description:
      'Responds as soon as the execution is recorded or, with `wait`, when it has ended. If its executor is ' +
      '`external`, no worker of this service picks it up; its owner reports its progress. Without a report for a day ' +
      '(the operator can change this) it expires: status `timeout`, termination_reason `expired`.',
    operationId: 'startExecution',
  })
  @ApiCreatedResponse({
    standardSchema: executionView,
    description: 'The execution, as recorded or as it is after the wait',
    headers: documentedHeaders('Location', 'ETag'),
  })
  @ApiProblems(409, 413, 415)
  async start(
    @Param('id', taskId) id: string,
    @Query({ schema: startExecutionQuery }) { wait }: StartExecutionQuery,
    @Body({ schema: startExecutionBody }) body: StartExecutionBody,
    @Caller() caller: CallerContext,
    @HttpExchange() exchange: Exchange,
  ) {
    const { input: submitted, tests, judge, executor, webhook: requested, ...overrides } = this.rules.accept(body);
    const start = async (executionId: string, metadata: EventMetadata) => {
      await this.webhooks.check(requested);
      const suite = tests ? await this.suites.ofExecution(id, caller, tests, judge) : tests;
      const input = await this.inputs.put(caller.userId, submitted);
      const isInteractive = submitted?.interactive === true;
      const webhook = await this.webhooks.seal(caller.userId, executionId, requested);
      const content = { executor, input, inputPaths: pathsOf(submitted), isInteractive, suite, webhook };
      const command = new StartExecution(executionId, id, caller, content, overrides, metadata);
      return await this.commands.record(command);
    };
    return this.starts.run(exchange, caller, wait, start, { input: submitted, tests });
  }

  @Get('tasks/:id/executions')
  @ForKeys('executions:read')
  @ApiOperation({
    summary: 'List the executions of a task',
    description: `The task may be deleted. ${BY_OFFSET_OR_CURSOR}`,
    operationId: 'listTaskExecutions',
  })
  @ApiOkResponse({ standardSchema: executionList, description: 'A page, by offset or by cursor' })
  async listOfTask(
    @Param('id', taskId) id: string,
    @Query({ schema: listExecutionsQuery }) query: ListExecutionsQuery,
    @Caller() caller: CallerContext,
    @HttpExchange() { reply }: Exchange,
  ) {
    const ownerId = await this.taskOwners.ownerOf(id);
    if (ownerId === null) throw new DomainError('task_not_found', 'Task not found', 'not_found');
    requireOwner(caller, ownerId);
    return this.page(query, { ...caller, reply }, ownerId, id);
  }

  @Get('executions')
  @ForKeys('executions:read')
  @ApiOperation({
    summary: 'List your executions of all tasks',
    description: BY_OFFSET_OR_CURSOR,
    operationId: 'listExecutions',
  })
  @ApiOkResponse({ standardSchema: executionList, description: 'A page, by offset or by cursor' })
  list(
    @Query({ schema: listExecutionsQuery }) query: ListExecutionsQuery,
    @Caller() caller: CallerContext,
    @HttpExchange() { reply }: Exchange,
  ) {
    return this.page(query, { ...caller, reply }, caller.userId);
  }

  @Get('executions/:id')
  @ForKeys('executions:read')
  @ConditionalRead()
  @ApiOperation({
    summary: 'Get an execution, as it is or as it was',
    description: 'With `as_of`, returns the state that it had at that version or time, according to its history.',
    operationId: 'getExecution',
  })
  @ApiOkResponse({
    standardSchema: executionView,
    description: 'The execution with its output. Use its ETag with If-Match and If-None-Match',
    headers: documentedHeaders('ETag'),
  })
  async get(
    @Param('id', executionId) id: string,
    @Query({ schema: asOfQuery }) { as_of }: AsOfQuery,
    @Caller() caller: CallerContext,
    @HttpExchange() { reply }: Exchange,
  ) {
    const query = as_of === undefined ? new GetExecution(id, caller) : new GetExecutionAsOf(id, caller, as_of);
    return this.responses.one(await this.queries.execute(query), { ...caller, reply });
  }

  @Delete('executions/:id')
  @ForKeys('executions:write')
  @ConditionalWrite()
  @HttpCode(200)
  @ApiOperation({
    summary: 'Cancel an execution',
    description: 'May be repeated safely while the execution has not ended. Afterwards it returns 409.',
    operationId: 'cancelExecution',
  })
  @ApiOkResponse({
    standardSchema: message,
    description: 'Cancellation recorded. The processes are killed within a second',
  })
  @ApiProblems(409)
  async cancel(
    @Param('id', executionId) id: string,
    @Caller() caller: CallerContext,
    @HttpExchange() exchange: Exchange,
  ) {
    const command = new CancelExecution(id, caller, metadataOf(caller, id), writeConditionOf(exchange.request));
    await this.commands.execute(command, exchange);
    return { message: 'Execution cancelled successfully' };
  }

  private async page(query: ListExecutionsQuery, receiver: Receiver, ownerId: string, taskIdFilter?: string) {
    const { status } = query;
    const script_type = this.rules.nameOf(query.script_type);
    const page = await this.queries.execute(
      new ListExecutions(ownerId, { taskId: taskIdFilter, status, script_type }, query),
    );
    return query.include === 'output'
      ? this.responses.pageWithOutput('executions', page, query, receiver)
      : this.responses.page('executions', page, query, receiver);
  }
}
