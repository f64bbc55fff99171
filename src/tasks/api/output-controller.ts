import { Controller, Get, Param, Query, type StreamableFile } from '@nestjs/common';
import { QueryBus } from '@nestjs/cqrs';
import { ApiBearerAuth, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';

import { apiPath } from '../../http/api-path.js';
import { ConcurrentRequests } from '../../http/concurrent-requests.js';
import { ApiProblems } from '../../http/docs/api-problems.js';
import { type Exchange, HttpExchange } from '../../http/http-commands.js';
import { sizedBytes } from '../../http/large-response.js';
import { liveResponse } from '../../http/live-response.js';
import { HttpProblem } from '../../http/problem.js';
import { Caller, type CallerContext } from '../../http/request-context.js';
import { releaseSlot, LargeResponses } from '../../http/user-concurrency.js';
import { enumParam, uuidParam } from '../../http/validation/params.js';
import { ForKeys } from '../../http/scopes.js';
import { bufferView } from '../../kernel/buffer-view.js';
import { PayloadStore } from '../../platform/payloads/payload-store.js';
import type { OutputStreamName } from '../../sandbox/sandbox.js';
import { isActive } from '../domain/execution-shape.js';
import { GetExecution } from '../queries/execution-queries.js';
import { keptBytes, outputOf } from '../queries/output-excerpt.js';
import { OutputFollower } from '../queries/output-follower.js';
import { outputQuery, type OutputQuery } from './execution-schemas.js';

const outputStream = enumParam(['stdout', 'stderr'], 'Invalid output stream: stdout or stderr');

/** The exact output bytes of an execution, which JSON cannot represent. */
@ApiTags('executions')
@ApiBearerAuth()
@Controller(apiPath('executions'))
export class OutputController {
  constructor(
    private readonly queries: QueryBus,
    private readonly payloads: PayloadStore,
    private readonly follower: OutputFollower,
    private readonly requests: ConcurrentRequests,
    private readonly largeResponses: LargeResponses,
  ) {}

  @Get(':id/output/:stream')
  @ForKeys('executions:read')
  @ApiOperation({
    summary: 'Get the output of an execution',
    description:
      'Without `follow`: returns the output of the latest attempt, once that attempt has ended. With `follow`: ' +
      'streams the output of the current (or next) attempt from its start until the execution has ended; after a ' +
      'retry, the output of the next attempt follows. Above the size limit, the last bytes of an output are sent ' +
      'when its attempt ends. A response that breaks off is incomplete: the service stopped. Repeat the request.',
    operationId: 'executionOutput',
  })
  @ApiOkResponse({
    description: 'The stored bytes; above the size limit, only the first and the last bytes',
    content: { 'application/octet-stream': { schema: { type: 'string', format: 'binary' } } },
  })
  @ApiProblems(400, 401, 403, 404, 410, 429, 503)
  async output(
    @Param('id', uuidParam('Invalid execution ID format')) id: string,
    @Param('stream', outputStream) stream: OutputStreamName,
    @Query({ schema: outputQuery }) { follow }: OutputQuery,
    @Caller() caller: CallerContext,
    @HttpExchange() exchange: Exchange,
  ): Promise<Buffer | StreamableFile> {
    const { request, reply } = exchange;
    const row = await this.queries.execute(new GetExecution(id, caller));
    // An execution that has ended has no more output, and a HEAD response has no body.
    const live = follow && isActive(row.status) && request.method === 'GET';
    const output = live ? this.following(id, stream, caller, exchange) : await this.stored(row[stream], caller, reply);
    void reply.type('application/octet-stream');
    return output;
  }

  private stored(output: Parameters<typeof outputOf>[0], { userId }: CallerContext, reply: FastifyReply) {
    const read = async () => {
      const content = await outputOf(output, this.payloads);
      if (content === null) throw new HttpProblem(410, 'output_erased', 'Output has been erased');
      return bufferView(content);
    };
    return sizedBytes(this.largeResponses, { userId, reply, bytes: keptBytes(output), read });
  }

  private following(id: string, stream: OutputStreamName, caller: CallerContext, { request, reply }: Exchange) {
    const ended = this.requests.enter('follow', caller.userId, reply);
    releaseSlot(request);
    return liveResponse(reply, this.follower.follow(id, stream, ended));
  }
}
