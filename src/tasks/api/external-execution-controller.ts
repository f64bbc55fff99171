import { Body, Controller, Param, Put } from '@nestjs/common';
import { QueryBus } from '@nestjs/cqrs';
import { ApiBearerAuth, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';

import { apiPath } from '../../http/api-path.js';
import { ConditionalWrite } from '../../http/conditional/api-conditions.js';
import { writeConditionOf } from '../../http/conditional/write-condition.js';
import { ApiProblems } from '../../http/docs/api-problems.js';
import { documentedHeaders } from '../../http/docs/documented-headers.js';
import { type Exchange, HttpCommands, HttpExchange } from '../../http/http-commands.js';
import type { HttpProblem } from '../../http/problem.js';
import { Caller, type CallerContext, metadataOf } from '../../http/request-context.js';
import { uuidParam } from '../../http/validation/params.js';
import { validationFailed } from '../../http/validation/schema-pipe.js';
import { ForKeys } from '../../http/scopes.js';
import { DomainError } from '../../kernel/errors.js';
import { requireOwner } from '../../kernel/requester.js';
import { ReportedOutput } from '../commands/reported-output.js';
import { ReportExternalExecution } from '../domain/execution-commands.js';
import { LATE_REPORT_GRACE_MS } from '../domain/external-deadline.js';
import { CLOCK_SKEW_MS_MAX } from '../domain/external-reports.js';
import { GetExecutionFromLog } from '../queries/execution-queries.js';
import { ExecutionResponses } from './execution-responses.js';
import { executionView } from './execution-schemas.js';
import { reportBody, type ReportBody } from './report-schemas.js';

const DESCRIPTION =
  'Report first that the execution is running, then how it ended; or report only its end. `started_at` is stored as ' +
  'reported. It defaults to the time of the report or, if the first report is the end, to `execution_time_ms` before ' +
  'the end. `completed_at` defaults to the time of the report. A report returns 400 and names the field if a time is ' +
  `more than ${CLOCK_SKEW_MS_MAX / 1_000} s ahead of the clock of the service, or if the end is before the reported ` +
  'or recorded start. An identical repeat returns the same response and records nothing. A different report returns ' +
  '409 if the execution has ended or has another start; so does every report on an execution that an embedded worker ' +
  'has started. An execution reported as running times out at `started_at` + `timeout_seconds`. If its start was ' +
  `reported late, it does not time out within ${LATE_REPORT_GRACE_MS / 1_000} s of that report (or within its ` +
  'timeout, if that is shorter).';

/** Executions on external workers, which report as the owner of the execution. */
@ApiTags('executions')
@ApiBearerAuth()
@Controller(apiPath('executions'))
export class ExternalExecutionController {
  constructor(
    private readonly commands: HttpCommands,
    private readonly queries: QueryBus,
    private readonly outputs: ReportedOutput,
    private readonly responses: ExecutionResponses,
  ) {}

  @Put(':id')
  @ForKeys('executions:write')
  @ConditionalWrite()
  @ApiOperation({
    summary: 'Report an execution of an external worker',
    description: DESCRIPTION,
    operationId: 'reportExecution',
  })
  @ApiOkResponse({ standardSchema: executionView, description: 'Report recorded', headers: documentedHeaders('ETag') })
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
    const report = await this.reportOf(id, owner_id, body);
    const command = new ReportExternalExecution(id, caller, report, new Date(), metadata, condition);
    await this.commands.execute(command, exchange).catch((error: unknown) => {
      throw error instanceof DomainError && error.code === 'report_time' ? badTime(error, body) : error;
    });
    return this.responses.one(await this.queries.execute(new GetExecutionFromLog(id)), { ...caller, ...exchange });
  }

  private async reportOf(id: string, ownerId: string, body: ReportBody): Promise<ReportExternalExecution['report']> {
    if (body.status === 'running') return { status: body.status, startedAt: body.started_at ?? null };
    const [stdout, stderr] = await Promise.all([
      this.outputs.put(id, ownerId, 'stdout', body.stdout),
      this.outputs.put(id, ownerId, 'stderr', body.stderr),
    ]);
    const { return_code, execution_time_ms: wall_time_ms, memory_usage_bytes: memory_peak_bytes } = body;
    return {
      status: body.status,
      result: { return_code, signal: null, stdout, stderr, wall_time_ms, cpu_time_ms: null, memory_peak_bytes },
      startedAt: body.started_at,
      completedAt: body.completed_at ?? null,
    };
  }
}

/** A time that conflicts with the recorded times is reported like one that is invalid in itself. */
const badTime = ({ message, details }: DomainError, sent: ReportBody): HttpProblem =>
  validationFailed([{ code: 'custom', path: [String(details?.['field'])], message, input: undefined }], sent);
