import { Controller, Get, Param, Res } from '@nestjs/common';
import { QueryBus } from '@nestjs/cqrs';
import { ApiBearerAuth, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';

import { PayloadStore } from '../../kernel/ports/payload-store.js';
import { apiPath } from '../../platform/http/api-path.js';
import { ApiProblems } from '../../platform/http/docs/api-problems.js';
import { HttpProblem } from '../../platform/http/problem.js';
import { Caller, type CallerContext } from '../../platform/http/request-context.js';
import { enumParam, uuidParam } from '../../platform/http/validation/params.js';
import { GetExecution } from '../read/execution-queries.js';
import { outputOf } from '../read/execution-view.js';

const outputStream = enumParam(['stdout', 'stderr'], 'Invalid output stream: stdout or stderr');

/** What a run wrote, byte for byte, which JSON cannot carry. */
@ApiTags('executions')
@ApiBearerAuth()
@Controller(apiPath('executions'))
export class OutputController {
  constructor(
    private readonly queries: QueryBus,
    private readonly payloads: PayloadStore,
  ) {}

  @Get(':id/output/:stream')
  @ApiOperation({ summary: 'What a run wrote', operationId: 'executionOutput' })
  @ApiOkResponse({
    description: 'The bytes as kept; none as long as the attempt has not ended',
    content: { 'application/octet-stream': { schema: { type: 'string', format: 'binary' } } },
  })
  @ApiProblems(400, 401, 403, 404, 410, 429, 503)
  async output(
    @Param('id', uuidParam('Invalid execution ID format')) id: string,
    @Param('stream', outputStream) stream: 'stdout' | 'stderr',
    @Caller() caller: CallerContext,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Buffer> {
    const row = await this.queries.execute(new GetExecution(id, caller));
    const content = await outputOf(row[stream], this.payloads);
    if (content === null) throw new HttpProblem(410, 'output_erased', 'Output has been erased');
    void reply.type('application/octet-stream');
    return Buffer.from(content.buffer, content.byteOffset, content.byteLength);
  }
}
