import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';

/** Any UUID, not only those of RFC 9562: an unknown id is a 404, whatever its version bits. */
const UUID = /^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$/;

export const isUuid = (text: string): boolean => UUID.test(text);

/** A path parameter in canonical notation, as its schema transforms it. */
export const canonical = (value: string): string => (isUuid(value) ? value.toLowerCase() : value);

/** `@Param('id', uuidParam('Invalid task ID format')) id: string`, in lower case. */
export const uuidParam = (message: string) => ({
  schema: z
    .string()
    .regex(UUID, message)
    .toLowerCase()
    .meta({ format: 'uuid', description: 'The id from an earlier response' }),
});

/** `@Param('stream', enumParam(['stdout', 'stderr'], 'Invalid output stream'))`. */
export const enumParam = <const Values extends readonly [string, ...string[]]>(values: Values, message: string) => ({
  schema: z.enum(values, message).meta({ description: 'The name of the stream', example: values[0] }),
});

/** `@RestOfPath() path: string` of a route that ends with `/*`: decoded, with its slashes. Document it by `@ApiParam`. */
export const RestOfPath = createParamDecorator((_data: unknown, context: ExecutionContext): string => {
  const { params } = context.switchToHttp().getRequest<FastifyRequest<{ Params: { '*': string } }>>();
  return params['*'];
});
