import { Injectable } from '@nestjs/common';
import type { FastifyReply } from 'fastify';

import { entityTag } from '../../http/conditional/entity-tags.js';
import { isLargeResponse, sizedResponse } from '../../http/large-response.js';
import { listResponse, type ListQuery, type Page } from '../../http/listing/list-query.js';
import { LargeResponses } from '../../http/user-concurrency.js';
import { isAllowed } from '../../kernel/requester.js';
import { PayloadStore } from '../../platform/payloads/payload-store.js';
import type { ExecutionRow } from '../queries/execution-projection.js';
import { executionViewOf } from '../queries/execution-view.js';
import { fileListBytesOf, keptBytesOf, NO_TEXT, bytesPerOutput, textOf } from '../queries/output-excerpt.js';
import { testResultsOf, testResultView } from '../queries/test-results-view.js';

/** The user and the reply object of a response. */
export interface Receiver {
  readonly userId: string;
  readonly isAdmin: boolean;
  readonly reply: FastifyReply;
}

/** Responses with executions. Their output can make them large. */
@Injectable()
export class ExecutionResponses {
  constructor(
    private readonly payloads: PayloadStore,
    private readonly largeResponses: LargeResponses,
  ) {}

  /** One execution. Its state follows from its events, so the number of events is its entity tag. */
  one(row: ExecutionRow, receiver: Receiver) {
    void receiver.reply.header('etag', entityTag(row.version));
    return this.withText([row], receiver, ([view]) => view!, true);
  }

  /** A list without output. */
  page(name: string, page: Page<ExecutionRow>, query: ListQuery, { userId, reply }: Receiver) {
    const { rows } = page.page;
    const read = async () =>
      listResponse(
        name,
        page,
        rows.map((row) => executionViewOf(row, NO_TEXT)),
        query,
      );
    return sizedResponse(this.largeResponses, { userId, reply, bytes: fileListBytesOf(rows), read });
  }

  pageWithOutput(name: string, page: Page<ExecutionRow>, query: ListQuery, receiver: Receiver) {
    return this.withText(page.page.rows, receiver, (views) => listResponse(name, page, views, query));
  }

  private withText<Content>(
    rows: readonly ExecutionRow[],
    receiver: Receiver,
    responseOf: (views: readonly ReturnType<typeof executionViewOf>[]) => Content,
    withTests = false,
  ) {
    const testBytes = withTests ? rows.reduce((sum, { test_results }) => sum + (test_results?.bytes ?? 0), 0) : 0;
    const bytes = keptBytesOf(rows) + fileListBytesOf(rows) + testBytes;
    const room = bytesPerOutput(rows);
    const viewOf = async (row: ExecutionRow) => {
      const tests = withTests ? await testResultsOf(row, this.payloads) : null;
      const shown = tests && tests.map((test) => testResultView(test, isAllowed(receiver, row.owner_id)));
      return executionViewOf(row, await textOf(row, this.payloads, room), shown);
    };
    const read = async () => {
      if (!isLargeResponse(bytes)) return responseOf(await Promise.all(rows.map(viewOf)));
      // One at a time: each output is read as a whole before it is cut, and other requests wait for a slot.
      const views = [];
      for (const row of rows) views.push(await viewOf(row));
      return responseOf(views);
    };
    return sizedResponse(this.largeResponses, { ...receiver, bytes, read });
  }
}
