/** Of a chain of causes, so many are told. */
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
 * An error as the log tells of it: its type, its code, where it was thrown. Nothing else of its properties, since
 * libraries hang values there: `detail` and `where` of Postgres, `command.args` of ioredis, `issues` of zod. Nor the
 * message where it quotes a value: Postgres's (`invalid input syntax for type uuid: "…"`), JSON.parse's, zod's.
 */
export function errorFacts(error: unknown, depth = 0): ErrorFacts {
  if (!(error instanceof Error)) return { type: typeof error };
  const { code, cause } = error as { code?: unknown; cause?: unknown };
  const isTold = !quotesValues(error);
  const stack = stackOf(error, isTold);
  return {
    type: error.name,
    ...(isTold && { message: error.message }),
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

/** Behind the message, which may have lines that look like frames. */
function stackOf({ stack, message }: Error, isTold: boolean): string | undefined {
  if (isTold || stack === undefined) return stack;
  const at = stack.indexOf(message);
  return at < 0 ? undefined : stack.slice(at + message.length).trimStart();
}

/** Five characters with a digit among them (PostgreSQL manual, appendix A). */
export const isSqlState = (code: unknown): boolean => typeof code === 'string' && /^(?=.*\d)[0-9A-Z]{5}$/.test(code);
