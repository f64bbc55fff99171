const UNITS: readonly (readonly [unit: Intl.RelativeTimeFormatUnit, seconds: number])[] = [
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
  ['second', 1],
];
const format = new Intl.RelativeTimeFormat('en', { style: 'short', numeric: 'always' });

/** `5 min. ago` on a terminal; in a pipe as the API says it. */
export function timeText(time: string | null, now = Date.now()): string {
  if (time === null || !process.stdout.isTTY) return time ?? '-';
  const seconds = (Date.parse(time) - now) / 1_000;
  const [unit, size] = UNITS.find(([, size]) => Math.abs(seconds) >= size) ?? ['second', 1];
  return format.format(Math.trunc(seconds / size), unit);
}

export const durationText = (ms: number | null): string =>
  ms === null ? '-' : ms < 1_000 ? `${Math.round(ms)} ms` : `${(ms / 1_000).toFixed(1)} s`;

const KIB = 1_024;

export function bytesText(bytes: number): string {
  if (bytes < KIB) return `${bytes} B`;
  return bytes < KIB ** 2 ? `${(bytes / KIB).toFixed(1)} KiB` : `${(bytes / KIB ** 2).toFixed(1)} MiB`;
}
