export const FILE_URI_TEMPLATE = 'voidrunner://executions/{id}/files/{+path}';

const FILE_URI = /^voidrunner:\/\/executions\/([0-9a-f-]{36})\/files\/([^?#]+)$/i;

/** Names a file that an execution kept. */
export const uriOf = (executionId: string, path: string): string =>
  `voidrunner://executions/${executionId}/files/${path.split('/').map(encodeURIComponent).join('/')}`;

/** @returns null for any other URI */
export function parseFileUri(uri: string): { readonly executionId: string; readonly path: string } | null {
  const [, executionId, path] = FILE_URI.exec(uri) ?? [];
  if (executionId === undefined || path === undefined) return null;
  try {
    return { executionId, path: decodeURIComponent(path) };
  } catch {
    return null;
  }
}
