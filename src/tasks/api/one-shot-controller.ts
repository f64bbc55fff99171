import { Body, Controller, Post, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiCreatedResponse, ApiOperation, ApiTags } from '@nestjs/swagger';

import type { EventMetadata } from '../../event-sourcing/core/event.js';
import { apiPath } from '../../http/api-path.js';
import { BODY_WITH_INPUT_BYTES_MAX } from '../../http/body-parser.js';
import { ApiProblems } from '../../http/docs/api-problems.js';
import { documentedHeaders } from '../../http/docs/documented-headers.js';
import { type Exchange, HttpCommands, HttpExchange } from '../../http/http-commands.js';
import { Idempotent } from '../../http/idempotency/idempotency-key.js';
import { Caller, type CallerContext } from '../../http/request-context.js';
import { BodyLimit } from '../../http/route-options.js';
import { ForKeys } from '../../http/scopes.js';
import { newId } from '../../kernel/uuid.js';
import { CreateAndStartTask } from '../commands/create-and-start-task.js';
import { InputStore } from '../commands/input-store.js';
import { ScriptStore } from '../commands/script-store.js';
import { allSettled } from '../../platform/async/all-settled.js';
import { CreateTask } from '../domain/task-commands.js';
import { executionView, startExecutionQuery, type StartExecutionQuery } from './execution-schemas.js';
import { ExecutionStarts } from './execution-starts.js';
import { pathsOf } from './input-schema.js';
import { oneShotBody, type OneShotBody } from './one-shot-schema.js';
import { OperatorRules } from './operator-rules.js';
import { SubmittedSuites } from './submitted-suites.js';
import { SubmittedWebhooks } from './submitted-webhooks.js';

@ApiTags('executions')
@ApiBearerAuth()
@ApiProblems(400, 401, 413, 415, 429, 503)
@Controller(apiPath('executions'))
export class OneShotController {
  constructor(
    private readonly commands: HttpCommands,
    private readonly scripts: ScriptStore,
    private readonly inputs: InputStore,
    private readonly suites: SubmittedSuites,
    private readonly rules: OperatorRules,
    private readonly starts: ExecutionStarts,
    private readonly webhooks: SubmittedWebhooks,
  ) {}

  @Post()
  @ForKeys('executions:write')
  @Idempotent()
  @BodyLimit(BODY_WITH_INPUT_BYTES_MAX)
  @ApiOperation({
    summary: 'Create a task and execute it',
    description:
      'Takes the fields of a task and the input of the execution. Records both the task and the execution, or neither.',
    operationId: 'runOnce',
  })
  @ApiCreatedResponse({
    standardSchema: executionView,
    description: 'The execution, as recorded or as it is after the wait',
    headers: documentedHeaders('Location', 'ETag'),
  })
  async run(
    @Query({ schema: startExecutionQuery }) { wait }: StartExecutionQuery,
    @Body({ schema: oneShotBody })
    { input: submitted, script_content, tests, judge, webhook: asked, ...requested }: OneShotBody,
    @Caller() caller: CallerContext,
    @HttpExchange() exchange: Exchange,
  ) {
    const definition = this.rules.accept(requested);
    const accepted = this.suites.accept(tests, judge, definition.script_type);
    const start = async (executionId: string, metadata: EventMetadata) => {
      await this.webhooks.check(asked);
      // All of them end before a failure is sent: until then, their content is in memory.
      const [script, input, suite, webhook] = await allSettled([
        this.scripts.put(caller.userId, script_content),
        this.inputs.put(caller.userId, submitted),
        this.suites.ofNewTask(caller.userId, accepted),
        this.webhooks.seal(caller.userId, executionId, asked),
      ]);
      const create = new CreateTask(newId(), caller.userId, { ...definition, script, suite }, metadata);
      const content = { input, inputPaths: pathsOf(submitted), webhook };
      return await this.commands.record(new CreateAndStartTask(create, executionId, caller, content));
    };
    return this.starts.run(exchange, caller, wait, start, { input: submitted, tests });
  }
}
