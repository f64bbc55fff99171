import { InvalidArgumentError } from 'commander';

import type { StreamRef, StreamType } from '../event-sourcing/core/event.js';

const STREAM = /^(task|execution|batch|user)-([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})$/i;

/** `execution-0198…`. */
export function streamArgument(text: string): StreamRef {
  const parts = STREAM.exec(text);
  if (!parts) throw new InvalidArgumentError('Expected task-<uuid>, execution-<uuid>, batch-<uuid> or user-<uuid>.');
  return { type: parts[1]!.toLowerCase() as StreamType, id: parts[2]!.toLowerCase() };
}
