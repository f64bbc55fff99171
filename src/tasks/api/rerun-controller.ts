import { Body, Controller, Param, Post, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiCreatedResponse, ApiOperation, ApiTags } from '@nestjs/swagger';

import { apiPath } from '../../http/api-path.js';
import { ApiProblems } from '../../http/docs/api-problems.js';
import { documentedHeaders } from '../../http/docs/documented-headers.js';
import { type Exchange, HttpCommands, HttpExchange } from '../../http/http-commands.js';
import { Idempotent } from '../../http/idempotency/idempotency-key.js';
import { Caller, type CallerContext } from '../../http/request-context.js';
import { uuidParam } from '../../http/validation/params.js';
import { ForKeys } from '../../http/scopes.js';
import { InvalidFields } from '../../kernel/errors.js';
import { RerunExecution } from '../domain/execution-commands.js';
import {
  executionView,
  rerunBody,
  type RerunBody,
  startExecutionQuery,
  type StartExecutionQuery,
} from './execution-schemas.js';
import { ExecutionStarts } from './execution-starts.js';
import { OperatorRules } from './operator-rules.js';

/** Rules know the fields of a start, where these have no prefix; the input is not part of this request. */
async function ofOverrides<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof InvalidFields)) throw error;
    throw new InvalidFields(
      error.fields.map((fault) => ({
        ...fault,
        field: fault.field.startsWith('input.') ? fault.field : `overrides.${fault.field}`,
      })),
    );
  }
}

/** Executions like earlier ones. */
@ApiTags('executions')
@ApiBearerAuth()
@ApiProblems(400, 401, 403, 404, 409, 413, 415, 429, 503)
@Controller(apiPath('executions'))
export class RerunController {
  constructor(
    private readonly commands: HttpCommands,
    private readonly starts: ExecutionStarts,
    private readonly rules: OperatorRules,
  ) {}

  @Post(':id/rerun')
  @ForKeys('executions:write')
  @Idempotent()
  @ApiOperation({
    summary: 'Execute again',
    description:
      'Starts an execution with the script, the settings and the input that an earlier one was started with, or, with ' +
      '`"definition": "current"`, with the script and the settings that its task has now. It runs in the image that ' +
      'the runtime has now, or, like the earlier one, externally. Its `rerun_of` names the earlier execution, which ' +
      'may be under way. 404 if its task was deleted, 409 if that runs as often as it may, if the input has been ' +
      'erased, or if the service no longer has the runtime.',
    operationId: 'rerunExecution',
  })
  @ApiCreatedResponse({
    standardSchema: executionView,
    description: 'The new execution, as recorded or as it is after the wait',
    headers: documentedHeaders('Location', 'ETag'),
  })
  async rerun(
    @Param('id', uuidParam('Invalid execution ID format')) sourceId: string,
    @Query({ schema: startExecutionQuery }) { wait }: StartExecutionQuery,
    @Body({ schema: rerunBody }) { definition, overrides }: RerunBody,
    @Caller() caller: CallerContext,
    @HttpExchange() exchange: Exchange,
  ) {
    return this.starts.run(exchange, caller, wait, (executionId, metadata) =>
      ofOverrides(async () => {
        const accepted = this.rules.accept(overrides);
        const command = new RerunExecution(executionId, sourceId, caller, definition, accepted, metadata);
        return await this.commands.record(command);
      }),
    );
  }
}
