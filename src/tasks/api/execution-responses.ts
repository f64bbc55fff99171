import { Injectable } from '@nestjs/common';
import type { FastifyReply } from 'fastify';

import { PayloadStore } from '../../platform/payloads/payload-store.js';
import { entityTag } from '../../http/conditional/entity-tags.js';
import { isLarge, sizedResponse } from '../../http/large-response.js';
import { LargeResponses } from '../../http/user-concurrency.js';
import { listResponse, type ListQuery, type Page } from '../../http/listing/list-query.js';
import type { ExecutionRow } from '../queries/execution-projection.js';
import { executionViewOf } from '../queries/execution-view.js';
import { keptBytesOf, NO_TEXT, roomForEach, textOf } from '../queries/output-excerpt.js';

/** Whom an answer goes to. */
export interface Receiver {
  readonly userId: string;
  readonly reply: FastifyReply;
}

/** Runs as answers: what they wrote is what makes those large. */
@Injectable()
export class ExecutionResponses {
  constructor(
    private readonly payloads: PayloadStore,
    private readonly largeResponses: LargeResponses,
  ) {}

  /** To a request about it alone. All of a run follows from its events: their number is its tag. */
  one(row: ExecutionRow, receiver: Receiver) {
    void receiver.reply.header('etag', entityTag(row.version));
    return this.withText([row], receiver, ([view]) => view!);
  }

  /** A list without what the runs wrote. */
  page(name: string, page: Page<ExecutionRow>, query: ListQuery) {
    const views = page.page.rows.map((row) => executionViewOf(row, NO_TEXT));
    return listResponse(name, page, views, query);
  }

  pageWithOutput(name: string, page: Page<ExecutionRow>, query: ListQuery, receiver: Receiver) {
    return this.withText(page.page.rows, receiver, (views) => listResponse(name, page, views, query));
  }

  private withText<Answer>(
    rows: readonly ExecutionRow[],
    { userId, reply }: Receiver,
    answerOf: (views: readonly ReturnType<typeof executionViewOf>[]) => Answer,
  ) {
    const bytes = keptBytesOf(rows);
    const room = roomForEach(rows);
    const viewOf = async (row: ExecutionRow) => executionViewOf(row, await textOf(row, this.payloads, room));
    const read = async () => {
      if (!isLarge(bytes)) return answerOf(await Promise.all(rows.map(viewOf)));
      // One after the other: whole outputs are read to be cut, and others wait for their turn to read one.
      const views = [];
      for (const row of rows) views.push(await viewOf(row));
      return answerOf(views);
    };
    return sizedResponse(this.largeResponses, { userId, reply, bytes, read });
  }
}
