/** Causes logged of a chain. */
const CAUSES_MAX = 4;
const CODE = /^[\w-]{1,64}$/;

export interface ErrorFacts {
  readonly type: string;
  readonly message?: string;
  readonly code?: string;
  readonly stack?: string;
  readonly cause?: ErrorFacts;
}

/**
 * The facts of an error that are logged: its type, its code, where it was thrown. Its other properties are left out,
 * because libraries put values there: `detail` and `where` of Postgres, `command.args` of ioredis, `issues` of zod.
 * The message is left out if it quotes a value, as do those of Postgres (`invalid input syntax for type uuid: "…"`),
 * JSON.parse and zod.
 */
export function errorFacts(error: unknown, depth = 0): ErrorFacts {
  if (!(error instanceof Error)) return { type: typeof error };
  const { code, cause } = error as { code?: unknown; cause?: unknown };
  const isMessageSafe = !quotesValues(error);
  const stack = stackOf(error, isMessageSafe);
  return {
    type: error.name,
    ...(isMessageSafe && { message: error.message }),
    ...((typeof code === 'number' || (typeof code === 'string' && CODE.test(code))) && { code: String(code) }),
    ...(stack !== undefined && { stack }),
    ...(cause !== undefined && depth < CAUSES_MAX && { cause: errorFacts(cause, depth + 1) }),
  };
}

/** An AggregateError's message is empty or Node's own; its members are left out. */
const quotesValues = (error: Error): boolean =>
  isSqlState((error as { code?: unknown }).code) ||
  error instanceof SyntaxError ||
  ['ZodError', 'SyntaxError', 'ReplyError', 'ValidationError'].includes(error.name);

/** The part after the message, because a message may have lines that look like frames. */
function stackOf({ stack, message }: Error, isMessageSafe: boolean): string | undefined {
  if (isMessageSafe || stack === undefined) return stack;
  const at = stack.indexOf(message);
  return at < 0 ? undefined : stack.slice(at + message.length).trimStart();
}

/** Five characters with a digit among them (PostgreSQL manual, appendix A). */
export const isSqlState = (code: unknown): boolean => typeof code === 'string' && /^(?=.*\d)[0-9A-Z]{5}$/.test(code);
