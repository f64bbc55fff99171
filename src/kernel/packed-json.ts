import { bufferView } from './buffer-view.js';

const LENGTH_BYTES = 4;
/** A multiple of 4: base64 is decoded in pieces of this size. */
const BASE64_CHARS_AT_A_TIME = 256 * 1024;

/** Content as a client sent it: it becomes bytes where they are stored, so it is in memory only twice. */
export interface EncodedText {
  readonly text: string;
  /** `base64`: valid, with its padding. */
  readonly encoding: 'utf8' | 'base64';
}

export const utf8Text = (text: string): EncodedText => ({ text, encoding: 'utf8' });

export type PartContent = Uint8Array | EncodedText;

/** Adds binary content. @returns its index, to be written into the JSON */
export type AddPart = (content: PartContent) => number;
/** @throws Error for an index that was not written */
export type PartAt = (index: number) => Buffer;

interface Head {
  readonly value: unknown;
  readonly sizes: readonly number[];
}

/**
 * JSON with binary parts, which need no base64: u32 length of a JSON head, the head, then the parts one after another.
 * The value refers to them by index.
 * @returns memory of its own
 */
export function packJson(valueOf: (part: AddPart) => unknown): Buffer {
  const parts: PartContent[] = [];
  const value = valueOf((content) => parts.push(content) - 1);
  const sizes = parts.map(sizeOf);
  const head = Buffer.from(JSON.stringify({ value, sizes } satisfies Head));
  const first = LENGTH_BYTES + head.length;
  const packed = Buffer.allocUnsafeSlow(sizes.reduce((sum, size) => sum + size, first));
  packed.writeUInt32BE(head.length);
  packed.set(head, LENGTH_BYTES);
  let at = first;
  for (const [index, part] of parts.entries()) {
    const end = at + sizes[index]!;
    // Else a part of it would be whatever was in this memory before.
    if (write(part, packed.subarray(at, end)) !== end - at) throw new Error('a text is not what its encoding says');
    at = end;
  }
  return packed;
}

const sizeOf = (part: PartContent): number =>
  'text' in part ? Buffer.byteLength(part.text, part.encoding) : part.length;

/** @returns how many bytes were written */
function write(part: PartContent, target: Buffer): number {
  if (!('text' in part)) {
    target.set(part);
    return part.length;
  }
  const { text, encoding } = part;
  if (encoding === 'utf8') return target.write(text);
  let at = 0;
  // Node copies a text before it decodes base64.
  for (let index = 0; index < text.length; index += BASE64_CHARS_AT_A_TIME) {
    at += target.write(text.slice(index, index + BASE64_CHARS_AT_A_TIME), at, 'base64');
  }
  return at;
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
