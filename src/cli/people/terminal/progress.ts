/** What is going on, on standard error, and only if that is a terminal. */
const { stderr } = process;
const CLEAR_LINE = '\r\u001b[2K';

let shown = false;

/** A line that the next one replaces. */
export function showStatus(text: string): void {
  if (!stderr.isTTY) return;
  stderr.write(CLEAR_LINE + text.slice(0, Math.max(0, stderr.columns - 1)));
  shown = true;
}

/** Before anything else is written. */
export function clearStatus(): void {
  if (shown) stderr.write(CLEAR_LINE);
  shown = false;
}

export interface Progress {
  advance(by: number): void;
  end(): void;
}

const NO_PROGRESS: Progress = { advance() {}, end() {} };

/** A bar. @param unit of the figures beside it */
export async function startProgress(label: string, total: number, unit: string): Promise<Progress> {
  if (!stderr.isTTY || total <= 0) return NO_PROGRESS;
  // Loaded only where there is a terminal.
  const { default: progress } = await import('cli-progress');
  clearStatus();
  const bar = new progress.SingleBar(
    {
      stream: stderr,
      clearOnComplete: true,
      hideCursor: true,
      barsize: 24,
      format: `${label} [{bar}] {value}/{total} ${unit}`,
      gracefulExit: false,
    },
    progress.Presets.legacy,
  );
  bar.start(total, 0);
  return { advance: (by) => bar.increment(by), end: () => bar.stop() };
}
