import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';

import { Failure } from '../../failure.js';

/** stdin and files of an execution together, as the API. */
export const INPUT_BYTES_MAX = 16 * 1024 ** 2;
/** A script; the API takes fewer. */
export const SCRIPT_BYTES_MAX = 1024 ** 2;

/** @throws Failure if there is more */
export async function readAll(source: AsyncIterable<Uint8Array>, max: number, name: string): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of source) {
    bytes += chunk.length;
    if (bytes > max) throw new Failure(`${name} has more than ${max} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** A file, a pipe or a device. */
export async function readLocalFile(path: string, max: number): Promise<Buffer> {
  try {
    if ((await stat(path)).isDirectory()) throw new Failure(`${path} is a folder: name a file`);
    return await readAll(createReadStream(path), max, path);
  } catch (error) {
    throw error instanceof Failure ? error : new Failure(`cannot read ${path}: ${reasonOf(error)}`);
  }
}

/** `no such file or directory`, without the path, which the caller names. */
function reasonOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return /^[A-Z]+: ([^,]+)/.exec(message)?.[1] ?? code ?? 'unknown error';
}

export function utf8Of(bytes: Uint8Array, name: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new Failure(`${name} is not a UTF-8 text`);
  }
}
