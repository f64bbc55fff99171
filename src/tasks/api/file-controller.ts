import { Controller, Get, Param, type StreamableFile } from '@nestjs/common';
import { QueryBus } from '@nestjs/cqrs';
import { ApiBearerAuth, ApiHeader, ApiOkResponse, ApiOperation, ApiParam, ApiResponse, ApiTags } from '@nestjs/swagger';
import { create as contentDisposition } from 'content-disposition';

import { apiPath } from '../../http/api-path.js';
import { byteRangeOf, sendRange } from '../../http/byte-ranges.js';
import { ConditionalRead } from '../../http/conditional/api-conditions.js';
import { entityTag, entityTagsOf, matchesWeakly } from '../../http/conditional/entity-tags.js';
import { ApiProblems } from '../../http/docs/api-problems.js';
import { documentedHeaders } from '../../http/docs/documented-headers.js';
import { type Exchange, HttpExchange } from '../../http/http-commands.js';
import { sizedBytes } from '../../http/large-response.js';
import { HttpProblem } from '../../http/problem.js';
import { Caller, type CallerContext } from '../../http/request-context.js';
import { LargeResponses } from '../../http/user-concurrency.js';
import { RestOfPath, uuidParam } from '../../http/validation/params.js';
import { ForKeys } from '../../http/scopes.js';
import { bufferView } from '../../kernel/buffer-view.js';
import { PayloadStore } from '../../platform/payloads/payload-store.js';
import type { StoredFile } from '../domain/execution-events.js';
import { GetExecution } from '../queries/execution-queries.js';

/** A program may have written a page: a browser that opens it anyway runs nothing of it, and gives it no origin. */
const FILE_CSP = "sandbox; default-src 'none'; frame-ancestors 'none'";

const FILE_PATH = { type: 'string', minLength: 1, example: 'out/plot.png' };
/** Its media type is the file's. */
const CONTENT = { '*/*': { schema: { type: 'string', format: 'binary' } } };

/** Whether the response will have no content, being a 304 or a 412 (apply-conditions.ts). A HEAD needs its length. */
const isKnown = ({ method, headers }: Exchange['request'], current: string): boolean => {
  const tags = headers['if-none-match'];
  return method === 'GET' && tags !== undefined && matchesWeakly(entityTagsOf(tags, 'If-None-Match'), current);
};

/** The files of an execution that match `input.outputs`. */
@ApiTags('executions')
@ApiBearerAuth()
@Controller(apiPath('executions'))
export class FileController {
  constructor(
    private readonly queries: QueryBus,
    private readonly payloads: PayloadStore,
    private readonly largeResponses: LargeResponses,
  ) {}

  @Get(':id/files/*')
  @ForKeys('executions:read')
  @ApiOperation({
    summary: 'Get a file of an execution',
    description:
      'A file that the latest attempt left and `input.outputs` matched, listed in `files` of the execution. ' +
      'Its type is `media_type`. Slashes in the path may be percent-encoded.',
    operationId: 'executionFile',
  })
  @ApiParam({ name: 'path', description: 'As in `files` of the execution', schema: FILE_PATH })
  @ApiHeader({ name: 'Range', required: false, description: 'One part of the content, such as `bytes=0-99`' })
  @ApiHeader({ name: 'If-Range', required: false, description: 'ETag: the whole content if it is not the current one' })
  @ApiOkResponse({ description: 'The content', content: CONTENT, headers: documentedHeaders('ETag') })
  @ApiResponse({ status: 206, description: 'The part that Range asks for', content: CONTENT })
  @ConditionalRead()
  @ApiProblems(400, 401, 403, 404, 410, 416, 429, 503)
  async file(
    @Param('id', uuidParam('Invalid execution ID format')) id: string,
    @RestOfPath() path: string,
    @Caller() caller: CallerContext,
    @HttpExchange() { request, reply }: Exchange,
  ): Promise<Buffer | StreamableFile> {
    const { files } = await this.queries.execute(new GetExecution(id, caller));
    const file = files.find((each) => each.path === path);
    if (!file) throw new HttpProblem(404, 'file_not_found', 'Execution has no such file');
    const etag = entityTag(file.sha256);
    const range = byteRangeOf(request, file.bytes, etag);
    const read = async () => {
      if (isKnown(request, file.sha256)) return Buffer.alloc(0);
      const content = await this.contentOf(file);
      return range === null ? content : content.subarray(range.start, range.end + 1);
    };
    const { userId } = caller;
    const response = await sizedBytes(this.largeResponses, { userId, reply, bytes: file.bytes, read });
    // Only now: an error response is no attachment.
    sendRange(reply, range, file.bytes);
    void reply.type(file.media_type).header('etag', etag);
    void reply.header('content-disposition', contentDisposition(path.split('/').at(-1)));
    void reply.header('content-security-policy', FILE_CSP);
    return response;
  }

  private async contentOf({ payload }: StoredFile): Promise<Buffer> {
    if (payload === null) return Buffer.alloc(0);
    const content = await this.payloads.get(payload);
    if (content === null) throw new HttpProblem(410, 'file_erased', 'File has been erased');
    return bufferView(content);
  }
}
