import { STATUS_CODES } from 'node:http';

import { applyDecorators } from '@nestjs/common';
import { ApiResponse } from '@nestjs/swagger';
import { z } from 'zod';

/** The body of every error, for the document. `Problem` in problem.ts is the TypeScript type. */
export const problemSchema = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int32(),
    detail: z.string(),
    instance: z.string(),
    request_id: z.string(),
    error: z.string(),
    details: z.unknown().optional(),
    validation_errors: z
      .array(z.object({ field: z.string(), value: z.string(), tag: z.string(), message: z.string() }))
      .optional(),
    retry_after: z.int32().optional(),
  })
  .meta({ id: 'Problem' });

/** A documented error response. */
export const problemResponse = (status: number) => ({
  description: STATUS_CODES[status] ?? 'Error',
  content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
});

/** `@ApiProblems(400, 401, 404)`: documents the possible errors, all with the same body. */
export const ApiProblems = (...statuses: readonly number[]) =>
  applyDecorators(...statuses.map((status) => ApiResponse({ status, ...problemResponse(status) })));
