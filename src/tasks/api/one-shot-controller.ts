import { Body, Controller, Post, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiCreatedResponse, ApiOperation, ApiTags } from '@nestjs/swagger';

import { apiPath } from '../../http/api-path.js';
import { BODY_WITH_INPUT_BYTES_MAX } from '../../http/body-parser.js';
import { ApiProblems } from '../../http/docs/api-problems.js';
import { documentedHeaders } from '../../http/docs/documented-headers.js';
import { type Exchange, HttpExchange } from '../../http/http-commands.js';
import { Idempotent } from '../../http/idempotency/idempotency-key.js';
import { Caller, type CallerContext } from '../../http/request-context.js';
import { BodyLimit } from '../../http/route-options.js';
import { ForKeys } from '../../http/scopes.js';
import { executionView, startExecutionQuery, type StartExecutionQuery } from './execution-schemas.js';
import { ExecutionStarts } from './execution-starts.js';
import { oneShotBody, type OneShotBody } from './one-shot-schema.js';
import { OneShots } from './one-shots.js';

@ApiTags('executions')
@ApiBearerAuth()
@ApiProblems(400, 401, 413, 415, 429, 503)
@Controller(apiPath('executions'))
export class OneShotController {
  constructor(
    private readonly oneShots: OneShots,
    private readonly starts: ExecutionStarts,
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
    @Body({ schema: oneShotBody }) body: OneShotBody,
    @Caller() caller: CallerContext,
    @HttpExchange() exchange: Exchange,
  ) {
    const { start, submitted } = this.oneShots.accept(body, caller);
    return this.starts.run(exchange, caller, wait, start, submitted);
  }
}
