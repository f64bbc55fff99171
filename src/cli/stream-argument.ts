import { InvalidArgumentError } from 'commander';

import type { StreamRef, StreamType } from '../event-sourcing/core/event.js';

const STREAM = /^(task|execution|user)-([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})$/i;

/** `execution-0198…`. */
export function streamArgument(text: string): StreamRef {
  const parts = STREAM.exec(text);
  if (!parts) throw new InvalidArgumentError('A stream is task-<uuid>, execution-<uuid> or user-<uuid>.');
  return { type: parts[1]!.toLowerCase() as StreamType, id: parts[2]!.toLowerCase() };
}

export const wholeNumberArgument = wholeNumberBetween(0, 999_999_999_999_999);

/** @returns the parser of an argument that is a whole number within bounds, both included */
export function wholeNumberBetween(min: number, max: number): (text: string) => number {
  const bounds = min === 0 ? 'A whole number is expected.' : `A whole number from ${min} to ${max} is expected.`;
  return (text) => {
    const number = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
    if (!(number >= min && number <= max)) throw new InvalidArgumentError(bounds);
    return number;
  };
}
