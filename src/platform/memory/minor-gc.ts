import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

type CollectGarbage = (options: { readonly type: 'minor' }) => void;

const BYTES_MAX = 4 * 1024 ** 2;

/** Node shows it to contexts that are made after the flag was set, and to nobody else. */
setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as CollectGarbage;
setFlagsFromString('--no-expose-gc');

let bytesLeft = 0;

/**
 * A library was given so many bytes to send and made a copy, which nobody but the garbage collector can free (`giveBack`
 * is for our own). V8 would start it at 64 MiB, of which most was such copies: they are young, and a minor collection
 * for every 4 MiB of them takes milliseconds.
 */
export function scheduleMinorGc(bytes: number): void {
  bytesLeft += bytes;
  if (bytesLeft < BYTES_MAX) return;
  bytesLeft = 0;
  collect({ type: 'minor' });
}
