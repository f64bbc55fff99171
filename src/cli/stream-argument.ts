import { InvalidArgumentError } from 'commander';

import type { StreamRef, StreamType } from '../kernel/event.js';

const STREAM = /^(task|execution|user)-([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})$/i;

/** `execution-0198…`. */
export function streamArgument(text: string): StreamRef {
  const parts = STREAM.exec(text);
  if (!parts) throw new InvalidArgumentError('A stream is task-<uuid>, execution-<uuid> or user-<uuid>.');
  return { type: parts[1]!.toLowerCase() as StreamType, id: parts[2]!.toLowerCase() };
}

export function wholeNumberArgument(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError('A whole number is expected.');
  return Number(text);
}
