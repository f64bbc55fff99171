import { Injectable } from '@nestjs/common';
import { QueryBus } from '@nestjs/cqrs';

import { type Exchange, HttpCommands } from '../../http/http-commands.js';
import { IdempotentRequests } from '../../http/idempotency/idempotent-requests.js';
import { type CallerContext, metadataOf } from '../../http/request-context.js';
import { newId } from '../../kernel/uuid.js';
import { CreateBatch } from '../commands/create-batch.js';
import { GetBatchItems } from '../queries/batch-queries.js';
import { type AcceptedItem, type BatchOptions, BatchPayloads } from './batch-payloads.js';

/** The common part of all requests that create a batch: idempotency key, payloads, command. */
@Injectable()
export class BatchStarts {
  constructor(
    private readonly commands: HttpCommands,
    private readonly queries: QueryBus,
    private readonly payloads: BatchPayloads,
    private readonly requests: IdempotentRequests,
  ) {}

  /** @returns the batch's id, and its executions in the order of the items */
  async run(exchange: Exchange, caller: CallerContext, items: readonly AcceptedItem[], options: BatchOptions = {}) {
    const { id } = await this.requests.run(exchange, caller.userId, async (mark) => {
      await this.payloads.checkWebhooks(items, options.webhook);
      const created = newId();
      const tasks = await this.payloads.store(caller.userId, created, items, options);
      const metadata = { ...metadataOf(caller, created), ...mark };
      await this.commands.execute(new CreateBatch(created, caller, tasks, metadata), exchange);
      return created;
    });
    const recorded = await this.queries.execute(new GetBatchItems(id));
    return { id, executions: recorded.map(({ index, executionId }) => ({ index, id: executionId })) };
  }
}
