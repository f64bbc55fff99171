import type { ArgumentMetadata, PipeTransform } from '@nestjs/common';
import { z } from 'zod';

import { HttpProblem } from '../problem.js';
import { fieldErrorsOf } from './field-errors.js';

/**
 * Validates parameters with a zod schema: `@Body({ schema })`, `@Query({ schema })`, `@Param('id', uuidParam('…'))`.
 * Nest's StandardSchemaValidationPipe does not know zod's codes, so its errors lack details that API.md requires.
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
