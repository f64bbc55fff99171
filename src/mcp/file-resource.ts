import { isUtf8 } from 'node:buffer';

import { ErrorCode, McpError, type ReadResourceResult } from '@modelcontextprotocol/sdk/types.js';
import type { VoidRunner } from '@voidrunner/client';

import { parseFileUri } from './file-uri.js';
import { RESOURCE_BYTES_MAX } from './limits.js';
import { failureOf } from './tool-errors.js';

/** MCP, resources: this code is for a resource that does not exist. */
const RESOURCE_NOT_FOUND = -32_002;
const TEXT = /^(text\/|application\/(json|xml|javascript|yaml|x-sh|sql|toml))|\+(json|xml)$/;

/** The content of a file as text or base64. @throws McpError */
export async function readFileResource(vr: VoidRunner, uri: string, signal: AbortSignal): Promise<ReadResourceResult> {
  const place = parseFileUri(uri);
  if (place === null) throw notFound('Resources are voidrunner://executions/<id>/files/<path>');
  const { executionId, path } = place;
  try {
    const file = (await vr.files.list(executionId, { signal })).find((each) => each.path === path);
    if (!file) throw notFound('The execution has kept no such file');
    if (file.bytes > RESOURCE_BYTES_MAX) {
      const text = `The file has ${file.bytes} bytes, and a resource at most ${RESOURCE_BYTES_MAX}`;
      throw new McpError(ErrorCode.InvalidParams, text);
    }
    const bytes = await vr.files.download(executionId, path, { signal });
    return { contents: [{ uri, mimeType: file.media_type, ...contentOf(bytes, file.media_type) }] };
  } catch (error) {
    if (error instanceof McpError) throw error;
    throw mcpErrorOf(error);
  }
}

const contentOf = (bytes: Uint8Array, type: string): { text: string } | { blob: string } => {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return TEXT.test(type) && isUtf8(buffer) ? { text: buffer.toString() } : { blob: buffer.toString('base64') };
};

const notFound = (text: string): McpError => new McpError(RESOURCE_NOT_FOUND, text);

/** Resources have no results that are errors. */
function mcpErrorOf(error: unknown): Error {
  const failure = failureOf(error);
  if (failure === null) return error as Error;
  return failure.code.endsWith('not_found')
    ? notFound(failure.text)
    : new McpError(ErrorCode.InvalidRequest, failure.text);
}
