import { z } from 'zod';

import { type AddPart, packJson, type PartAt, type PartContent, unpackJson } from '../../kernel/packed-json.js';

export interface InputFile<Content = Uint8Array> {
  readonly path: string;
  readonly content: Content;
}

/** An execution's input. */
export interface ExecutionInput<Content = Uint8Array> {
  readonly stdin?: Content | undefined;
  /** Whether more standard input is added while the program runs. */
  readonly interactive?: boolean | undefined;
  readonly args?: readonly string[] | undefined;
  readonly env?: Readonly<Record<string, string>> | undefined;
  readonly files?: readonly InputFile<Content>[] | undefined;
  /** Patterns of the files to keep. */
  readonly outputs?: readonly string[] | undefined;
}

/** A part of a packed payload, by its index. */
export const packedPart = (part: PartAt) => z.int().transform(part);

export const packedFiles = (part: PartAt) => z.array(z.object({ path: z.string(), content: packedPart(part) }));

export const packFiles = (files: readonly InputFile<PartContent>[], part: AddPart) =>
  files.map(({ path, content }) => ({ path, content: part(content) }));

const packedInput = (part: PartAt) =>
  z.object({
    stdin: packedPart(part).optional(),
    interactive: z.boolean().optional(),
    args: z.array(z.string()).optional(),
    env: z.record(z.string(), z.string()).optional(),
    files: packedFiles(part).optional(),
    outputs: z.array(z.string()).optional(),
  });

/** As its payload stores it. */
export const encodeExecutionInput = ({ stdin, files, ...others }: ExecutionInput<PartContent>): Buffer =>
  packJson((part) => ({
    ...others,
    ...(stdin && { stdin: part(stdin) }),
    ...(files && { files: packFiles(files, part) }),
  }));

/** @throws Error if encodeExecutionInput did not make the bytes */
export function decodeExecutionInput(content: Uint8Array): ExecutionInput {
  const { value, part } = unpackJson(content);
  return packedInput(part).parse(value);
}
