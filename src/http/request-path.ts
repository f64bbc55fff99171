const ABSOLUTE_FORM = /^https?:\/\/[^/?#]*/i;

/** The path of a request target as the client wrote it, without its query. Proxies send the absolute form. */
export function pathOf(target: string): string {
  const path = target.replace(ABSOLUTE_FORM, '').split(/[?#]/, 1)[0]!;
  return path === '' ? '/' : path;
}

/** The path as the router reads it: unnecessary percent-encoding makes no difference. */
export const decodedPathOf = (target: string): string => pathOf(target).split('/').map(decodedSegment).join('/');

function decodedSegment(segment: string): string {
  try {
    // An encoded slash does not separate segments.
    return decodeURIComponent(segment).replaceAll('/', '%2F');
  } catch {
    return segment;
  }
}
