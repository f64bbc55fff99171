import { Body, Controller, Delete, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { QueryBus } from '@nestjs/cqrs';
import { ApiAcceptedResponse, ApiBearerAuth, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';

import { API_BASE, apiPath } from '../../http/api-path.js';
import { BODY_WITH_INPUT_BYTES_MAX } from '../../http/body-parser.js';
import { ApiProblems } from '../../http/docs/api-problems.js';
import { documentedHeaders } from '../../http/docs/documented-headers.js';
import { message } from '../../http/docs/message-schema.js';
import { type Exchange, HttpCommands, HttpExchange } from '../../http/http-commands.js';
import { Idempotent } from '../../http/idempotency/idempotency-key.js';
import { BY_OFFSET_OR_CURSOR, listResponse } from '../../http/listing/list-query.js';
import { RateLimitedByContent } from '../../http/rate-limit/rate-limit-guard.js';
import { Caller, type CallerContext, metadataOf } from '../../http/request-context.js';
import { BodyLimit } from '../../http/route-options.js';
import { uuidParam } from '../../http/validation/params.js';
import { ForKeys } from '../../http/scopes.js';
import { CancelBatch } from '../domain/batch-commands.js';
import { BATCH_ITEMS_MAX } from '../domain/batch-events.js';
import { GetBatch, ListBatches } from '../queries/batch-queries.js';
import { BatchPayloads } from './batch-payloads.js';
import {
  batchList,
  batchSummaryOf,
  batchView,
  batchViewOf,
  createBatchBody,
  type CreateBatchBody,
  createdBatchView,
  listBatchesQuery,
  type ListBatchesQuery,
} from './batch-schemas.js';
import { BatchStarts } from './batch-starts.js';

const batchId = uuidParam('Invalid batch ID format');

/** Of a body that is not validated yet. */
function itemsIn(body: unknown): number {
  const items = (body as { items?: unknown } | null | undefined)?.items;
  return Array.isArray(items) ? Math.min(Math.max(items.length, 1), BATCH_ITEMS_MAX) : 1;
}

@ApiTags('batches')
@ApiBearerAuth()
@ApiProblems(400, 401, 429, 503)
@Controller(apiPath('batches'))
export class BatchController {
  constructor(
    private readonly commands: HttpCommands,
    private readonly queries: QueryBus,
    private readonly payloads: BatchPayloads,
    private readonly starts: BatchStarts,
  ) {}

  @Post()
  @ForKeys('executions:write')
  @Idempotent()
  @HttpCode(202)
  @BodyLimit(BODY_WITH_INPUT_BYTES_MAX)
  @RateLimitedByContent(itemsIn)
  @ApiOperation({
    summary: 'Create tasks and execute them',
    description:
      'Takes up to 200 bodies of `POST /executions`. Records all of the tasks and executions, or none: a 400 names the ' +
      'faults of all items (`items.3.script_type`). The `webhook` is for the items that have none of their own. Counts as as many requests as it has items.',
    operationId: 'createBatch',
  })
  @ApiAcceptedResponse({
    standardSchema: createdBatchView,
    description: 'All executions are recorded, in the order of the items',
    headers: documentedHeaders('Location'),
  })
  @ApiProblems(413, 415, 422)
  async create(
    @Body({ schema: createBatchBody }) { items, webhook }: CreateBatchBody,
    @Caller() caller: CallerContext,
    @HttpExchange() exchange: Exchange,
  ) {
    const accepted = this.payloads.accept(items);
    const batch = await this.starts.run(exchange, caller, accepted, { webhook });
    void exchange.reply.header('location', `/${API_BASE}/batches/${batch.id}`);
    return batch;
  }

  @Get()
  @ForKeys('executions:read')
  @ApiOperation({ summary: 'List your batches', description: BY_OFFSET_OR_CURSOR, operationId: 'listBatches' })
  @ApiOkResponse({ standardSchema: batchList, description: 'A page of batches, by offset or by cursor' })
  async list(@Query({ schema: listBatchesQuery }) query: ListBatchesQuery, @Caller() caller: CallerContext) {
    const page = await this.queries.execute(new ListBatches(caller.userId, query));
    return listResponse('batches', page, page.page.rows.map(batchSummaryOf), query);
  }

  @Get(':id')
  @ForKeys('executions:read')
  @ApiOperation({
    summary: 'Get a batch',
    description: 'With the status of each execution, and the number of executions with each status.',
    operationId: 'getBatch',
  })
  @ApiOkResponse({ standardSchema: batchView, description: 'The batch as it is now' })
  @ApiProblems(403, 404)
  async get(@Param('id', batchId) id: string, @Caller() caller: CallerContext) {
    return batchViewOf(await this.queries.execute(new GetBatch(id, caller)));
  }

  @Delete(':id')
  @ForKeys('executions:write')
  @HttpCode(200)
  @ApiOperation({
    summary: 'Cancel a batch',
    description:
      'Cancels the executions that have not ended, and starts no further ones. May be repeated safely while an ' +
      'execution has not ended. Afterwards it returns 409.',
    operationId: 'cancelBatch',
  })
  @ApiOkResponse({ standardSchema: message, description: 'Cancellation recorded' })
  @ApiProblems(403, 404, 409)
  async cancel(@Param('id', batchId) id: string, @Caller() caller: CallerContext, @HttpExchange() exchange: Exchange) {
    await this.commands.execute(new CancelBatch(id, caller, metadataOf(caller, id)), exchange);
    return { message: 'Batch cancelled successfully' };
  }
}
