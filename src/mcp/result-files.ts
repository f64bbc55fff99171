import type { CallToolResult, ContentBlock } from '@modelcontextprotocol/sdk/types.js';
import type { Execution, OutputFile } from '@voidrunner/client';

import { uriOf } from './file-uri.js';
import { IMAGE_BYTES_MAX, IMAGES_MAX, LINKS_MAX } from './limits.js';
import type { ToolContext } from './tool.js';

/** Kept of every run: what a program draws. */
export const IMAGE_PATTERNS = ['*.png', '*.jpg', '*.jpeg', '*.gif', '*.webp'] as const;
const IMAGE_TYPES = ['image/png', 'image/jpeg', 'image/gif', 'image/webp'];

/** Images as content, all other files as links to resources. */
export async function contentOfFiles(
  { id, files }: Pick<Execution, 'id' | 'files'>,
  { vr, signal }: Pick<ToolContext, 'vr' | 'signal'>,
): Promise<CallToolResult['content']> {
  const images = files.filter(isSmallImage).slice(0, IMAGES_MAX);
  const content: ContentBlock[] = [];
  for (const { path, media_type } of images) {
    const bytes = await vr.files.download(id, path, { signal });
    content.push({ type: 'image', data: Buffer.from(bytes).toString('base64'), mimeType: media_type });
  }
  const links = files.filter((file) => !images.includes(file)).slice(0, LINKS_MAX);
  return [...content, ...links.map((file) => linkTo(id, file))];
}

const isSmallImage = ({ media_type, bytes }: OutputFile): boolean =>
  IMAGE_TYPES.includes(media_type) && bytes > 0 && bytes <= IMAGE_BYTES_MAX;

const linkTo = (id: string, { path, media_type, bytes }: OutputFile): ContentBlock => ({
  type: 'resource_link',
  uri: uriOf(id, path),
  name: path,
  mimeType: media_type,
  size: bytes,
});

/** A note of the service counts patterns; those that every run has are not the caller's. */
const UNMATCHED = /^(no file matches these of outputs, counted from 0: )([\d, ]+)$/;

/** @param patterns that the caller named, before the others */
export function notesForCaller(notes: readonly string[], patterns: number): string[] {
  return notes.flatMap((note) => {
    const [, text, indexes] = UNMATCHED.exec(note) ?? [];
    if (text === undefined || indexes === undefined) return [note];
    const named = indexes.split(', ').filter((index) => Number(index) < patterns);
    return named.length === 0 ? [] : [text + named.join(', ')];
  });
}
