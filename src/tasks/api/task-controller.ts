import { Body, Controller, Delete, Get, HttpCode, Param, Post, Put, Query, Res } from '@nestjs/common';
import { QueryBus } from '@nestjs/cqrs';
import { ApiBearerAuth, ApiCreatedResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';

import { API_BASE, apiPath } from '../../http/api-path.js';
import { BODY_WITH_INPUT_BYTES_MAX } from '../../http/body-parser.js';
import { ConditionalRead, ConditionalWrite } from '../../http/conditional/api-conditions.js';
import { entityTag } from '../../http/conditional/entity-tags.js';
import { writeConditionOf } from '../../http/conditional/write-condition.js';
import { ApiProblems } from '../../http/docs/api-problems.js';
import { documentedHeaders } from '../../http/docs/documented-headers.js';
import { message } from '../../http/docs/message-schema.js';
import { type Exchange, HttpCommands, HttpExchange } from '../../http/http-commands.js';
import { Idempotent } from '../../http/idempotency/idempotency-key.js';
import { IdempotentRequests } from '../../http/idempotency/idempotent-requests.js';
import { dropBody, releaseLargeBody } from '../../http/large-bodies.js';
import { sizedResponse, waitForLargeResponse } from '../../http/large-response.js';
import { historyResponse, historyQuery, type HistoryQuery, historyView } from '../../http/listing/history.js';
import { BY_OFFSET_OR_CURSOR, listResponse } from '../../http/listing/list-query.js';
import { Caller, type CallerContext, metadataOf } from '../../http/request-context.js';
import { BodyLimit } from '../../http/route-options.js';
import { LargeResponses } from '../../http/user-concurrency.js';
import { asOfQuery, type AsOfQuery } from '../../http/validation/as-of.js';
import { uuidParam } from '../../http/validation/params.js';
import { ForKeys } from '../../http/scopes.js';
import { isAllowed, requireOwner } from '../../kernel/requester.js';
import { newId } from '../../kernel/uuid.js';
import { requireVersion, type VersionCondition } from '../../kernel/version-condition.js';
import { allSettled } from '../../platform/async/all-settled.js';
import { PayloadStore } from '../../platform/payloads/payload-store.js';
import { ScriptStore } from '../commands/script-store.js';
import { CreateTask, DeleteTask, UpdateTask } from '../domain/task-commands.js';
import type { SuiteRef } from '../domain/execution-shape.js';
import type { TaskDefinition } from '../domain/task-events.js';
import type { TaskRow } from '../queries/task-projection.js';
import { GetTask, GetTaskAsOf, GetTaskFromLog, GetTaskHistory, ListTasks } from '../queries/task-queries.js';
import { taskViewOf } from '../queries/task-view.js';
import { OperatorRules } from './operator-rules.js';
import { SubmittedSuites } from './submitted-suites.js';
import {
  createTaskBody,
  type CreateTaskBody,
  listTasksQuery,
  type ListTasksQuery,
  taskList,
  taskView,
  updateTaskBody,
  type UpdateTaskBody,
} from './task-schemas.js';

const taskId = uuidParam('Invalid task ID format');

@ApiTags('tasks')
@ApiBearerAuth()
@ApiProblems(400, 401, 429, 503)
@Controller(apiPath('tasks'))
export class TaskController {
  constructor(
    private readonly commands: HttpCommands,
    private readonly queries: QueryBus,
    private readonly requests: IdempotentRequests,
    private readonly scripts: ScriptStore,
    private readonly suites: SubmittedSuites,
    private readonly payloads: PayloadStore,
    private readonly largeResponses: LargeResponses,
    private readonly rules: OperatorRules,
  ) {}

  @Post()
  @ForKeys('tasks:write')
  @Idempotent()
  @BodyLimit(BODY_WITH_INPUT_BYTES_MAX)
  @ApiOperation({
    summary: 'Create a task',
    description: 'Omitted fields get their defaults. The task is not executed yet.',
    operationId: 'createTask',
  })
  @ApiCreatedResponse({
    standardSchema: taskView,
    description: 'Task created',
    headers: documentedHeaders('Location', 'ETag'),
  })
  @ApiProblems(413, 415)
  async create(
    @Body({ schema: createTaskBody }) body: CreateTaskBody,
    @Caller() caller: CallerContext,
    @HttpExchange() exchange: Exchange,
  ) {
    const { script_content, tests, judge, ...requested } = body;
    const definition = this.rules.accept(requested);
    const accepted = this.suites.accept(tests, judge, definition.script_type);
    const { id, version } = await this.requests.run(exchange, caller.userId, async (mark) => {
      const taskId = newId();
      const [script, suite] = await allSettled([
        this.scripts.put(caller.userId, script_content),
        this.suites.ofNewTask(caller.userId, accepted),
      ]);
      await this.roomForResponse(suite, caller, exchange);
      const metadata = { ...metadataOf(caller), ...mark };
      const command = new CreateTask(taskId, caller.userId, { ...definition, script, suite }, metadata);
      await this.commands.execute(command, exchange);
      return taskId;
    });
    void exchange.reply.header('location', `/${API_BASE}/tasks/${id}`);
    // A repeat with another body is refused, so this is the script of that version.
    const row = await this.queries.execute(new GetTaskFromLog(id, version));
    return this.respond(row, caller, exchange.reply, script_content);
  }

  @Get()
  @ForKeys('tasks:read')
  @ApiOperation({
    summary: 'List tasks',
    description: `Lists your own tasks. ${BY_OFFSET_OR_CURSOR}`,
    operationId: 'listTasks',
  })
  @ApiOkResponse({ standardSchema: taskList, description: 'A page of tasks, by offset or by cursor' })
  async list(
    @Query({ schema: listTasksQuery }) query: ListTasksQuery,
    @Caller() caller: CallerContext,
    @HttpExchange() { reply }: Exchange,
  ) {
    const page = await this.queries.execute(
      new ListTasks(caller.userId, { ...query, script_type: this.rules.nameOf(query.script_type) }),
    );
    const { rows } = page.page;
    const bytes = rows.reduce((sum, { definition }) => sum + definition.script.bytes, 0);
    const read = async () => {
      const tasks = await Promise.all(rows.map((row) => taskViewOf(row, this.payloads)));
      return listResponse('tasks', page, tasks, query);
    };
    return sizedResponse(this.largeResponses, { userId: caller.userId, reply, bytes, read });
  }

  @Get(':id')
  @ForKeys('tasks:read')
  @ConditionalRead()
  @ApiOperation({
    summary: 'Get a task, as it is or as it was',
    description: 'With `as_of`, returns the state that it had at that version or time, according to its history.',
    operationId: 'getTask',
  })
  @ApiOkResponse({
    standardSchema: taskView,
    description: 'The task. Use its ETag with If-Match and If-None-Match',
    headers: documentedHeaders('ETag'),
  })
  @ApiProblems(403, 404)
  async get(
    @Param('id', taskId) id: string,
    @Query({ schema: asOfQuery }) { as_of }: AsOfQuery,
    @Caller() caller: CallerContext,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    const query = as_of === undefined ? new GetTask(id, caller) : new GetTaskAsOf(id, caller, as_of);
    return this.respond(await this.queries.execute(query), caller, reply);
  }

  @Get(':id/events')
  @ForKeys('events:read')
  @ApiOperation({
    summary: 'Get the history of a task',
    description: 'Returns one event for each change. A deleted task keeps its history.',
    operationId: 'taskHistory',
  })
  @ApiOkResponse({ standardSchema: historyView, description: 'The events, oldest first' })
  @ApiProblems(403, 404)
  async history(
    @Param('id', taskId) id: string,
    @Query({ schema: historyQuery }) query: HistoryQuery,
    @Caller() caller: CallerContext,
    @HttpExchange() { reply }: Exchange,
  ) {
    const { after_version, limit } = query;
    const portions = await this.queries.execute(new GetTaskHistory(id, caller, after_version, limit + 1));
    return historyResponse(this.largeResponses, portions, query, { userId: caller.userId, reply });
  }

  @Put(':id')
  @ForKeys('tasks:write')
  @BodyLimit(BODY_WITH_INPUT_BYTES_MAX)
  @ApiOperation({
    summary: 'Update a task',
    description: 'Changes only the fields in the request.',
    operationId: 'updateTask',
  })
  @ConditionalWrite()
  @ApiOkResponse({ standardSchema: taskView, description: 'Task updated', headers: documentedHeaders('ETag') })
  @ApiProblems(403, 404, 409, 413, 415)
  async update(
    @Param('id', taskId) id: string,
    @Body({ schema: updateTaskBody }) body: UpdateTaskBody,
    @Caller() caller: CallerContext,
    @HttpExchange() exchange: Exchange,
  ) {
    const { script_content, tests, judge, ...requested } = body;
    const accepted = this.rules.accept(requested);
    dropBody(exchange.request);
    const condition = writeConditionOf(exchange.request);
    const given = { script_content, tests, judge, script_type: accepted.script_type };
    const { suiteFrom, ...stored } = await this.stored(id, caller, given, condition, exchange);
    await this.roomForResponse(stored.suite, caller, exchange);
    const changes = { ...accepted, ...stored };
    const command = new UpdateTask(id, caller, changes, this.rules.floors, metadataOf(caller), condition, suiteFrom);
    await this.commands.execute(command, exchange);
    return this.respond(await this.queries.execute(new GetTaskFromLog(id)), caller, exchange.reply);
  }

  @Delete(':id')
  @ForKeys('tasks:write')
  @HttpCode(200)
  @ConditionalWrite()
  @ApiOperation({
    summary: 'Delete a task',
    description: 'The executions of the task are kept.',
    operationId: 'deleteTask',
  })
  @ApiOkResponse({ standardSchema: message, description: 'Task deleted' })
  @ApiProblems(403, 404, 409)
  async delete(@Param('id', taskId) id: string, @Caller() caller: CallerContext, @HttpExchange() exchange: Exchange) {
    const command = new DeleteTask(id, caller, metadataOf(caller), writeConditionOf(exchange.request));
    await this.commands.execute(command, exchange);
    return { message: 'Task deleted successfully' };
  }

  /**
   * Stores script and tests under the key of the task's owner, even if an admin changes them. Does not store them for a
   * change that will be refused: they would count towards the quota for a day.
   */
  private async stored(
    id: string,
    caller: CallerContext,
    { script_content, tests, judge, script_type }: UpdateTaskBody,
    condition: VersionCondition,
    { reply }: Exchange,
  ): Promise<Partial<Pick<TaskDefinition, 'script' | 'suite'>> & Pick<UpdateTask, 'suiteFrom'>> {
    if ([script_content, script_type, tests, judge].every((given) => given === undefined)) return {};
    const { owner_id, definition, definition_version } = await this.queries.execute(new GetTaskFromLog(id));
    requireOwner(caller, owner_id);
    requireVersion(condition, definition_version, 'Task');
    // It may be read, and it is part of the response.
    await waitForLargeResponse(this.largeResponses, { userId: caller.userId, reply, bytes: bytesOf(definition.suite) });
    const changed = await this.suites.ofChangedTask(owner_id, definition, { tests, judge, script_type });
    if (script_content === undefined) return changed;
    return { ...changed, script: await this.scripts.replace(definition.script, owner_id, script_content) };
  }

  /** Before anything is recorded: a refusal must not hide it. What was sent is stored, and makes room for others. */
  private roomForResponse(
    suite: SuiteRef | null | undefined,
    { userId }: CallerContext,
    { request, reply }: Exchange,
  ): Promise<void> {
    releaseLargeBody(request);
    return waitForLargeResponse(this.largeResponses, { userId, reply, bytes: bytesOf(suite) });
  }

  private respond(row: TaskRow, caller: CallerContext, reply: FastifyReply, script?: string) {
    void reply.header('etag', tagOf(row));
    const bytes = bytesOf(row.definition.suite);
    const isOwn = isAllowed(caller, row.owner_id);
    const read = () =>
      this.suites.shown(row.definition, (suite) =>
        taskViewOf(row, this.payloads, { script, suite, showsHidden: isOwn }),
      );
    return sizedResponse(this.largeResponses, { userId: caller.userId, reply, bytes, read });
  }
}

/**
 * The version of the definition and, once the task has been executed, its status. A 304 must not hide that an execution
 * has ended. The condition of a change compares the definition only.
 */
const tagOf = ({ definition_version, status }: TaskRow): string =>
  entityTag(status === 'pending' ? definition_version : `${definition_version}-${status}`);

const bytesOf = (suite: SuiteRef | null | undefined): number => suite?.payload.bytes ?? 0;
