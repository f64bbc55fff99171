const ABSOLUTE_FORM = /^https?:\/\/[^/?#]*/i;

/** The path of a request target as it was written, without its query; of the absolute form too, which proxies send. */
export function pathOf(target: string): string {
  const path = target.replace(ABSOLUTE_FORM, '').split(/[?#]/, 1)[0]!;
  return path === '' ? '/' : path;
}

/** As the router reads it: what is percent-encoded without need is the same path. */
export const decodedPathOf = (target: string): string => pathOf(target).split('/').map(decodedSegment).join('/');

function decodedSegment(segment: string): string {
  try {
    // An encoded slash divides nothing.
    return decodeURIComponent(segment).replaceAll('/', '%2F');
  } catch {
    return segment;
  }
}
