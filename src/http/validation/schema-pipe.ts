import type { ArgumentMetadata, PipeTransform } from '@nestjs/common';
import { z } from 'zod';

import { HttpProblem } from '../problem.js';
import { fieldErrorsOf } from './field-errors.js';

/**
 * Validates what carries a zod schema: `@Body({ schema })`, `@Query({ schema })`, `@Param('id', uuidParam('…'))`.
 * Nest's own StandardSchemaValidationPipe knows no zod codes, so its errors cannot say what API.md asks for.
 */
export class SchemaPipe implements PipeTransform {
  transform(value: unknown, metadata: ArgumentMetadata): unknown {
    const { schema } = metadata;
    if (schema === undefined) return value;
    if (!(schema instanceof z.ZodType)) throw new Error('only zod schemas are supported');
    const parsed = schema.safeParse(value);
    if (parsed.success) return parsed.data;
    if (metadata.type === 'param') {
      throw new HttpProblem(400, 'invalid_id', parsed.error.issues[0]?.message ?? 'Invalid path');
    }
    throw validationFailed(parsed.error.issues, value);
  }
}

export const validationFailed = (issues: readonly z.core.$ZodIssue[], sent: unknown): HttpProblem =>
  new HttpProblem(400, 'validation_failed', 'Validation failed', { validationErrors: fieldErrorsOf(issues, sent) });
