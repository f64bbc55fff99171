import { HttpProblem } from '../../http/problem.js';
import { INVALID_SUBMISSION } from './judge0-dialect.js';

/** The errors of a submission, by field. */
export class SubmissionErrors {
  private readonly errors: Record<string, string[]> = {};

  add(field: string, message: string): void {
    (this.errors[field] ??= []).push(message);
  }

  /** @throws HttpProblem 422 */
  throwIfAny(): void {
    if (Object.keys(this.errors).length === 0) return;
    throw new HttpProblem(422, INVALID_SUBMISSION, 'Validation failed', { details: this.errors });
  }
}

/** @throws HttpProblem 422 */
export function invalidField(field: string, message: string): HttpProblem {
  return new HttpProblem(422, INVALID_SUBMISSION, 'Validation failed', { details: { [field]: [message] } });
}
