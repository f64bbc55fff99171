import type { FastifyReply } from 'fastify';

import type { PayloadStore } from '../../kernel/ports/payload-store.js';
import { entityTag } from '../../platform/http/conditional/entity-tags.js';
import type { ExecutionRow } from '../read/execution-projection.js';
import { executionViewOf } from '../read/execution-view.js';

/** A run, as the answer to a request about it alone. All of it follows from its events: their number is its tag. */
export function taggedExecution(row: ExecutionRow, payloads: PayloadStore, reply: FastifyReply) {
  void reply.header('etag', entityTag(row.version));
  return executionViewOf(row, payloads, true);
}
