import pc from 'picocolors';

type Stream = NodeJS.WriteStream;

/** https://no-color.org, https://force-color.org. picocolors itself also colours pipes if the variable CI is set. */
function wantsColour(stream: Stream): boolean {
  const { NO_COLOR, FORCE_COLOR, TERM } = process.env;
  if (NO_COLOR) return false;
  if (FORCE_COLOR !== undefined && FORCE_COLOR !== '') return FORCE_COLOR !== '0' && FORCE_COLOR !== 'false';
  return stream.isTTY && TERM !== 'dumb';
}

export const style = pc.createColors(wantsColour(process.stdout));

type Paint = (text: string) => string;

const STATUS: Readonly<Record<string, Paint>> = {
  completed: style.green,
  failed: style.red,
  timeout: style.red,
  running: style.cyan,
  pending: style.yellow,
  cancelled: style.dim,
};

export const paintStatus = (status: string): Paint => STATUS[status] ?? ((text) => text);
