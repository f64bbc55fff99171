import { bufferView } from './buffer-view.js';

const LENGTH_BYTES = 4;

/** Adds binary content. @returns its index, to be written into the JSON */
export type AddPart = (content: Uint8Array) => number;
/** @throws Error for an index that was not written */
export type PartAt = (index: number) => Buffer;

interface Head {
  readonly value: unknown;
  readonly sizes: readonly number[];
}

/**
 * JSON with binary parts, which need no base64: u32 length of a JSON head, the head, then the parts one after another.
 * The value refers to them by index.
 */
export function packJson(valueOf: (part: AddPart) => unknown): Buffer {
  const parts: Uint8Array[] = [];
  const value = valueOf((content) => parts.push(content) - 1);
  const head = Buffer.from(JSON.stringify({ value, sizes: parts.map(({ length }) => length) } satisfies Head));
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeUInt32BE(head.length);
  return Buffer.concat([length, head, ...parts]);
}

/** The parts are views of the content. @throws Error for anything that {@link packJson} did not make */
export function unpackJson(content: Uint8Array): { readonly value: unknown; readonly part: PartAt } {
  const all = bufferView(content);
  const first = LENGTH_BYTES + all.readUInt32BE();
  const { value, sizes } = JSON.parse(all.toString('utf8', LENGTH_BYTES, first)) as Head;
  const ends = [first];
  for (const size of sizes) ends.push(ends.at(-1)! + size);
  if (ends.at(-1) !== all.length) throw new Error('a packed payload has not the length that it says');
  const part = (index: number): Buffer => {
    if (!(index in sizes)) throw new Error(`a packed payload has no part ${index}`);
    return all.subarray(ends[index], ends[index + 1]);
  };
  return { value, part };
}
