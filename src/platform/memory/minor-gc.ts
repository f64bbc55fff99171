import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

type CollectGarbage = (options: { readonly type: 'minor' }) => void;

const BYTES_MAX = 4 * 1024 ** 2;

/** Node exposes it only to contexts that are created after the flag was set. */
setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as CollectGarbage;
setFlagsFromString('--no-expose-gc');

let uncollectedBytes = 0;

/**
 * Call this after a library has copied so many bytes to send them. Only the garbage collector can free the copy
 * (`detachBuffer` is for our own). V8 would start it at 64 MiB, most of which was such copies. They are young, and a
 * minor collection for every 4 MiB of them takes milliseconds.
 */
export function scheduleMinorGc(bytes: number): void {
  uncollectedBytes += bytes;
  if (uncollectedBytes < BYTES_MAX) return;
  uncollectedBytes = 0;
  collect({ type: 'minor' });
}
