import { resolvesWithin } from '../../../platform/async/timeout.js';
import { INPUT_BYTES_MAX, readAll, readLocalFile } from './bounded-reading.js';

/** Standard input that goes on while the program runs. */
export interface LiveInput {
  [Symbol.asyncIterator](): AsyncIterator<Uint8Array>;
}

export interface StandardInput {
  /** Sent with the program. */
  readonly first: Uint8Array;
  /** Sent while it runs; null if that was all. */
  readonly live: LiveInput | null;
}

/** Input that is there at once is sent with the program; a pipe that brings nothing for this long stays open. */
const QUIET_MS = 100;

const NONE: StandardInput = { first: new Uint8Array(), live: null };

/** @param option a file, `-` for all of standard input, or undefined: standard input, which may stay open */
export async function standardInput(option: string | undefined, isTaken: boolean): Promise<StandardInput> {
  if (option !== undefined && option !== '-')
    return { first: await readLocalFile(option, INPUT_BYTES_MAX), live: null };
  if (isTaken) return NONE;
  if (option === '-') return { first: await readAll(process.stdin, INPUT_BYTES_MAX, 'standard input'), live: null };
  if (process.stdin.isTTY) return { first: new Uint8Array(), live: process.stdin };
  return beginning(process.stdin[Symbol.asyncIterator]() as AsyncIterator<Uint8Array, undefined>);
}

/** What comes without a pause, up to the limit of the API. */
async function beginning(chunks: AsyncIterator<Uint8Array, undefined>): Promise<StandardInput> {
  const first: Uint8Array[] = [];
  let bytes = 0;
  for (;;) {
    const next = chunks.next();
    if (!(await resolvesWithin(next, QUIET_MS))) return { first: Buffer.concat(first), live: rest(next, chunks) };
    const { done, value } = await next;
    if (done) return { first: Buffer.concat(first), live: null };
    bytes += value.length;
    if (bytes > INPUT_BYTES_MAX / 2) {
      return { first: Buffer.concat(first), live: rest(Promise.resolve({ done, value }), chunks) };
    }
    first.push(value);
  }
}

async function* rest(
  pending: Promise<IteratorResult<Uint8Array, undefined>>,
  chunks: AsyncIterator<Uint8Array, undefined>,
) {
  for (let next = pending; ; next = chunks.next()) {
    const { done, value } = await next;
    if (done) return;
    yield value;
  }
}
