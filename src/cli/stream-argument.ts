import { InvalidArgumentError } from 'commander';

import type { StreamRef, StreamType } from '../event-sourcing/core/event.js';

const STREAM =
  /^(task|execution|batch|user|webhook|delivery)-([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})$/i;

/** As help and errors show them. */
export const STREAM_FORMS =
  'task-<uuid>, execution-<uuid>, batch-<uuid>, user-<uuid>, webhook-<uuid> or delivery-<uuid>';

/** `execution-0198…`. */
export function streamArgument(text: string): StreamRef {
  const parts = STREAM.exec(text);
  if (!parts) throw new InvalidArgumentError(`Expected ${STREAM_FORMS}.`);
  return { type: parts[1]!.toLowerCase() as StreamType, id: parts[2]!.toLowerCase() };
}
