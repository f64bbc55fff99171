import { Controller, Get, Param, Query, type StreamableFile } from '@nestjs/common';
import { QueryBus } from '@nestjs/cqrs';
import { ApiBearerAuth, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';

import { PayloadStore } from '../../platform/payloads/payload-store.js';
import type { OutputStreamName } from '../../sandbox/sandbox.js';
import { isActive } from '../domain/execution-shape.js';
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
import { GetExecution } from '../queries/execution-queries.js';
import { keptBytes, outputOf } from '../queries/output-excerpt.js';
import { OutputFollower } from '../queries/output-follower.js';
import { outputQuery, type OutputQuery } from './execution-schemas.js';

const outputStream = enumParam(['stdout', 'stderr'], 'Invalid output stream: stdout or stderr');

/** What a run wrote, byte for byte, which JSON cannot carry. */
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
  @ApiOperation({
    summary: 'What a run wrote',
    description:
      'Without `follow`: what the latest attempt wrote, once it has ended. With it: what the attempt that runs (or the ' +
      'next one) has written so far, and then what it writes, until the run has ended; where an attempt is tried ' +
      'again, the next one’s output follows. Over the cap the end of an output comes when its attempt ends. An answer ' +
      'that breaks off is not complete: the service stopped, and the request can be repeated.',
    operationId: 'executionOutput',
  })
  @ApiOkResponse({
    description: 'The bytes as kept: over the cap, the first and the last of them',
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
    // Of a run that has ended there is nothing to wait for; and HEAD asks for no output at all.
    const live = follow && isActive(row.status) && request.method === 'GET';
    const answer = live ? this.following(id, stream, caller, exchange) : await this.stored(row[stream], caller, reply);
    void reply.type('application/octet-stream');
    return answer;
  }

  private stored(output: Parameters<typeof outputOf>[0], { userId }: CallerContext, reply: FastifyReply) {
    const read = async () => {
      const content = await outputOf(output, this.payloads);
      if (content === null) throw new HttpProblem(410, 'output_erased', 'Output has been erased');
      return Buffer.from(content.buffer, content.byteOffset, content.byteLength);
    };
    return sizedBytes(this.largeResponses, { userId, reply, bytes: keptBytes(output), read });
  }

  private following(id: string, stream: OutputStreamName, caller: CallerContext, { request, reply }: Exchange) {
    const ended = this.requests.enter('follow', caller.userId, reply);
    releaseSlot(request);
    return liveResponse(reply, this.follower.follow(id, stream, ended));
  }
}
