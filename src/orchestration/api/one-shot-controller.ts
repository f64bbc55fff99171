import { Body, Controller, Post, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiCreatedResponse, ApiOperation, ApiTags } from '@nestjs/swagger';

import { executionView, startExecutionQuery, type StartExecutionQuery } from '../../execution/api/execution-schemas.js';
import { RunStarts } from '../../execution/api/run-starts.js';
import { InputStore } from '../../execution/app/input-store.js';
import { newId } from '../../kernel/uuid.js';
import { apiPath } from '../../platform/http/api-path.js';
import { BODY_WITH_INPUT_BYTES_MAX } from '../../platform/http/body-parser.js';
import { answerHeaders } from '../../platform/http/docs/answer-headers.js';
import { ApiProblems } from '../../platform/http/docs/api-problems.js';
import { type Exchange, HttpCommands, HttpExchange } from '../../platform/http/http-commands.js';
import { Repeatable } from '../../platform/http/idempotency/idempotency-key.js';
import { Caller, type CallerContext } from '../../platform/http/request-context.js';
import { BodyLimit } from '../../platform/http/route-options.js';
import { RunLimitsCeiling } from '../../platform/http/run-limits-ceiling.js';
import { ScriptStore } from '../../task/app/script-store.js';
import { CreateTask } from '../../task/domain/task-commands.js';
import { RunOnce } from '../lifecycle/run-once.js';
import { runOnceBody, type RunOnceBody } from './one-shot-schema.js';

@ApiTags('executions')
@ApiBearerAuth()
@ApiProblems(400, 401, 413, 415, 429, 503)
@Controller(apiPath('executions'))
export class OneShotController {
  constructor(
    private readonly commands: HttpCommands,
    private readonly scripts: ScriptStore,
    private readonly inputs: InputStore,
    private readonly ceiling: RunLimitsCeiling,
    private readonly starts: RunStarts,
  ) {}

  @Post()
  @Repeatable()
  @BodyLimit(BODY_WITH_INPUT_BYTES_MAX)
  @ApiOperation({
    summary: 'Create a task and run it, at once',
    description: 'The fields of a task, and the input of its run. Both are recorded, or neither.',
    operationId: 'runOnce',
  })
  @ApiCreatedResponse({
    standardSchema: executionView,
    description: 'Waits for a worker; or as it is after the wait',
    headers: answerHeaders('Location', 'ETag'),
  })
  async run(
    @Query({ schema: startExecutionQuery }) { wait }: StartExecutionQuery,
    @Body({ schema: runOnceBody }) { input: submitted, script_content, ...definition }: RunOnceBody,
    @Caller() caller: CallerContext,
    @HttpExchange() exchange: Exchange,
  ) {
    this.ceiling.check(definition);
    return this.starts.run(exchange, caller, wait, async (executionId, metadata) => {
      const [script, input] = await Promise.all([
        this.scripts.put(caller.userId, script_content),
        this.inputs.put(caller.userId, submitted),
      ]);
      const create = new CreateTask(newId(), caller.userId, { ...definition, script }, metadata);
      await this.commands.execute(new RunOnce(create, executionId, caller, input), exchange);
    });
  }
}
