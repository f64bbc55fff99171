import type { PayloadStore } from '../../platform/payloads/payload-store.js';
import type { OutputRef } from '../domain/execution-events.js';
import type { ExecutionRow } from './execution-projection.js';
import { outputText } from './output-text.js';

/** What runs wrote, as one answer in JSON carries it: bytes as kept, which may become six times as many characters. */
export const ANSWER_OUTPUT_BYTES_MAX = 2 * 1024 ** 2;

/** stdout and stderr as text; null before there is any, where it has been destroyed, and where nobody asked. */
export interface OutputExcerpt {
  readonly stdout: string | null;
  readonly stderr: string | null;
  /** Whether some of what was kept is left out, for want of room. */
  readonly isExcerpt: boolean;
}

export const NO_TEXT: OutputExcerpt = { stdout: null, stderr: null, isExcerpt: false };

/** The bytes a run wrote, as kept; empty where it wrote nothing, null where they have been destroyed. */
export async function outputOf(output: OutputRef | null, payloads: PayloadStore): Promise<Uint8Array | null> {
  if (output === null || output.payload === null) return new Uint8Array();
  return payloads.get(output.payload);
}

export const keptBytes = (output: OutputRef | null): number => output?.payload?.bytes ?? 0;

const outputsOf = ({ stdout, stderr }: ExecutionRow) => [stdout, stderr];

/** Of all runs of an answer. */
export const keptBytesOf = (rows: readonly ExecutionRow[]): number =>
  rows.flatMap(outputsOf).reduce((sum, output) => sum + keptBytes(output), 0);

/** How much of each output of an answer has room. Short ones are whole: what they leave of their share goes to the others. */
export function roomForEach(rows: readonly ExecutionRow[], bytesMax = ANSWER_OUTPUT_BYTES_MAX): number {
  const sizes = rows
    .flatMap(outputsOf)
    .map(keptBytes)
    .toSorted((one, other) => one - other);
  let left = bytesMax;
  for (const [index, size] of sizes.entries()) {
    const share = Math.floor(left / (sizes.length - index));
    if (size > share) return share;
    left -= size;
  }
  return Number.POSITIVE_INFINITY;
}

/** @param bytesMax of each of stdout and stderr */
export async function textOf(
  { stdout, stderr }: ExecutionRow,
  payloads: PayloadStore,
  bytesMax: number,
): Promise<OutputExcerpt> {
  const [out, err] = await Promise.all([
    textOfOutput(stdout, payloads, bytesMax),
    textOfOutput(stderr, payloads, bytesMax),
  ]);
  const isCut = (text: string | null, output: OutputRef | null): boolean =>
    text !== null && keptBytes(output) > bytesMax;
  return { stdout: out, stderr: err, isExcerpt: isCut(out, stdout) || isCut(err, stderr) };
}

async function textOfOutput(output: OutputRef | null, payloads: PayloadStore, bytesMax: number) {
  if (output === null) return null;
  const content = await outputOf(output, payloads);
  return content === null ? null : outputText(content, output, bytesMax);
}
