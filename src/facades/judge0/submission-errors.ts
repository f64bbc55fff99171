import { HttpProblem } from '../../http/problem.js';
import { type FieldErrors, INVALID_SUBMISSION } from './judge0-dialect.js';

/** The errors of a submission, by field. */
export class SubmissionErrors {
  private readonly errors: Record<string, string[]> = {};

  add(field: string, message: string): void {
    (this.errors[field] ??= []).push(message);
  }

  /** @throws HttpProblem 422 */
  throwIfAny(): void {
    if (Object.keys(this.errors).length === 0) return;
    throw invalidSubmission(this.errors);
  }
}

export const invalidSubmission = (errors: FieldErrors): HttpProblem =>
  new HttpProblem(422, INVALID_SUBMISSION, 'Validation failed', { details: errors });
