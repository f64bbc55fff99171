import { Body, Controller, Param, Put } from '@nestjs/common';
import { QueryBus } from '@nestjs/cqrs';
import { ApiBearerAuth, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';

import { PayloadStore } from '../../kernel/ports/payload-store.js';
import { requireOwner } from '../../kernel/requester.js';
import { apiPath } from '../../platform/http/api-path.js';
import { ConditionalWrite } from '../../platform/http/conditional/api-conditions.js';
import { writeConditionOf } from '../../platform/http/conditional/write-condition.js';
import { ApiProblems } from '../../platform/http/docs/api-problems.js';
import { type Exchange, HttpCommands, HttpExchange } from '../../platform/http/http-commands.js';
import { Caller, type CallerContext, metadataOf } from '../../platform/http/request-context.js';
import { uuidParam } from '../../platform/http/validation/params.js';
import { ReportedOutput } from '../app/reported-output.js';
import { ReportExternalRun } from '../domain/execution-commands.js';
import { GetExecutionFromLog } from '../read/execution-queries.js';
import { executionView } from './execution-schemas.js';
import { taggedExecution } from './tagged-execution.js';
import { reportBody, type ReportBody } from './report-schemas.js';

/** Runs done elsewhere: their owner is the worker. */
@ApiTags('executions')
@ApiBearerAuth()
@Controller(apiPath('executions'))
export class ExternalRunController {
  constructor(
    private readonly commands: HttpCommands,
    private readonly queries: QueryBus,
    private readonly outputs: ReportedOutput,
    private readonly payloads: PayloadStore,
  ) {}

  @Put(':id')
  @ConditionalWrite()
  @ApiOperation({
    summary: 'Report a run that is done elsewhere',
    description: 'First that it is running, then how it ended. One that an embedded worker has started is a 409.',
    operationId: 'reportExecution',
  })
  @ApiOkResponse({ standardSchema: executionView, description: 'Recorded' })
  @ApiProblems(400, 401, 403, 404, 409, 413, 415, 429, 503)
  async report(
    @Param('id', uuidParam('Invalid execution ID format')) id: string,
    @Body({ schema: reportBody }) body: ReportBody,
    @Caller() caller: CallerContext,
    @HttpExchange() exchange: Exchange,
  ) {
    const { owner_id } = await this.queries.execute(new GetExecutionFromLog(id));
    requireOwner(caller, owner_id);
    const metadata = metadataOf(caller, id);
    const condition = writeConditionOf(exchange.request);
    const command = new ReportExternalRun(id, caller, await this.reportOf(id, owner_id, body), metadata, condition);
    await this.commands.execute(command, exchange);
    return taggedExecution(await this.queries.execute(new GetExecutionFromLog(id)), this.payloads, exchange.reply);
  }

  private async reportOf(id: string, ownerId: string, body: ReportBody): Promise<ReportExternalRun['report']> {
    if (body.status === 'running') return { status: body.status };
    const [stdout, stderr] = await Promise.all([
      this.outputs.put(id, ownerId, 'stdout', body.stdout),
      this.outputs.put(id, ownerId, 'stderr', body.stderr),
    ]);
    const { return_code, execution_time_ms: wall_time_ms, memory_usage_bytes: memory_peak_bytes } = body;
    return {
      status: body.status,
      result: { return_code, signal: null, stdout, stderr, wall_time_ms, cpu_time_ms: null, memory_peak_bytes },
      startedAt: body.started_at,
      completedAt: body.completed_at ?? new Date().toISOString(),
    };
  }
}
