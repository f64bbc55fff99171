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

export const wholeNumberArgument = wholeNumberBetween(0, 999_999_999_999_999);

/** @returns a parser for a whole-number argument within bounds, both included */
export function wholeNumberBetween(min: number, max: number): (text: string) => number {
  const bounds = min === 0 ? 'Expected a whole number.' : `Expected a whole number from ${min} to ${max}.`;
  return (text) => {
    const number = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
    if (!(number >= min && number <= max)) throw new InvalidArgumentError(bounds);
    return number;
  };
}
