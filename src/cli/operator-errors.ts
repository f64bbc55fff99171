import { ZodError } from 'zod';

import { InvalidConfig } from '../config/load-config.js';
import { DomainError, Unavailable } from '../kernel/errors.js';
import { isOutage } from '../platform/postgres/outage.js';
import { InvalidRuntimes } from '../runtimes/load-runtimes.js';

/** What an operator is told of an expected error. @returns null for a bug, of which the stack is told */
export function operatorMessage(error: unknown): string | null {
  if (error instanceof ZodError) {
    const [issue] = error.issues;
    return `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'malformed'}`;
  }
  const expected =
    isOutage(error) || [InvalidConfig, InvalidRuntimes, Unavailable, DomainError].some((type) => error instanceof type);
  return expected ? (error as Error).message : null;
}
