import { toBase64 } from './base64.js';

export type Content = string | Uint8Array | ArrayBuffer;

/** Content by path, or in the form of the API. */
export type FilesOption = Readonly<Record<string, Content>> | readonly InputFile[];

export interface InputFile {
  readonly path: string;
  readonly content: Content;
  /** Of a text. Bytes are always sent in base64. */
  readonly encoding?: 'utf8' | 'base64';
}

/** Files in the form of the API. */
export function inputFilesOf(files: FilesOption) {
  const list: readonly InputFile[] = isList(files)
    ? files
    : Object.entries(files).map(([path, content]) => ({ path, content }));
  return list.map(({ path, content, encoding }) =>
    typeof content === 'string'
      ? { path, content, ...(encoding && { encoding }) }
      : { path, content: toBase64(bytesOf(content)), encoding: 'base64' as const },
  );
}

export function stdinOf(stdin: Content | undefined) {
  if (stdin === undefined) return {};
  return typeof stdin === 'string' ? { stdin } : { stdin_base64: toBase64(bytesOf(stdin)) };
}

const isList = (files: FilesOption): files is readonly InputFile[] => Array.isArray(files);

const bytesOf = (content: Uint8Array | ArrayBuffer): Uint8Array =>
  content instanceof Uint8Array ? content : new Uint8Array(content);
