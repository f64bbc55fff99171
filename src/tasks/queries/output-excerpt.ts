import type { PayloadStore } from '../../platform/payloads/payload-store.js';
import type { OutputRef } from '../domain/execution-events.js';
import type { ExecutionRow } from './execution-projection.js';
import { outputText } from './output-text.js';

/** Output in one JSON response, in stored bytes; escaping may make six times as many characters of them. */
export const RESPONSE_OUTPUT_BYTES_MAX = 2 * 1024 ** 2;

/** stdout and stderr as text; null if there is none yet, if it was destroyed, and if it was not requested. */
export interface OutputExcerpt {
  readonly stdout: string | null;
  readonly stderr: string | null;
  /** Of the compiler; the same. */
  readonly compile: { readonly stdout: string | null; readonly stderr: string | null };
  /** Whether some of the stored output is left out for lack of space. */
  readonly isExcerpt: boolean;
}

export const NO_TEXT: OutputExcerpt = {
  stdout: null,
  stderr: null,
  compile: { stdout: null, stderr: null },
  isExcerpt: false,
};

/** The stored bytes of an output; empty if nothing was written, null if they have been destroyed. */
export async function outputOf(output: OutputRef | null, payloads: PayloadStore): Promise<Uint8Array | null> {
  if (output === null || output.payload === null) return new Uint8Array();
  return payloads.get(output.payload);
}

export const keptBytes = (output: OutputRef | null): number => output?.payload?.bytes ?? 0;

const outputsOf = ({ stdout, stderr, compile }: ExecutionRow) => [
  stdout,
  stderr,
  compile?.stdout ?? null,
  compile?.stderr ?? null,
];

/** The total for all executions of a response. */
export const keptBytesOf = (rows: readonly ExecutionRow[]): number =>
  rows.flatMap(outputsOf).reduce((sum, output) => sum + keptBytes(output), 0);

/** Of one file in a list, without its path: hash, size, media type. */
const FILE_BYTES = 200;

/** What the lists of files add to a response. */
export const fileListBytesOf = (rows: readonly ExecutionRow[]): number =>
  rows
    .flatMap(({ files, files_skipped }) => [...files, ...files_skipped])
    .reduce((sum, { path }) => sum + path.length + FILE_BYTES, 0);

/** The space for each output in a response. Short outputs are whole; the space they do not use goes to the others. */
export function bytesPerOutput(rows: readonly ExecutionRow[], bytesMax = RESPONSE_OUTPUT_BYTES_MAX): number {
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

/** @param bytesMax for each output */
export async function textOf(row: ExecutionRow, payloads: PayloadStore, bytesMax: number): Promise<OutputExcerpt> {
  const outputs = outputsOf(row);
  const texts = await Promise.all(outputs.map((output) => textOfOutput(output, payloads, bytesMax)));
  const [stdout = null, stderr = null, compilerOut = null, compilerErr = null] = texts;
  const isExcerpt = outputs.some((output, index) => texts[index] !== null && keptBytes(output) > bytesMax);
  return { stdout, stderr, compile: { stdout: compilerOut, stderr: compilerErr }, isExcerpt };
}

async function textOfOutput(output: OutputRef | null, payloads: PayloadStore, bytesMax: number) {
  if (output === null) return null;
  const content = await outputOf(output, payloads);
  return content === null ? null : outputText(content, output, bytesMax);
}
