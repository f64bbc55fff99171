import { z } from 'zod';

/** Any uuid of RFC 9562 and beyond: whether one exists is answered by 404, not by its version bits. */
const UUID = /^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$/;

/** A path parameter in the notation that its schema makes of it. */
export const canonical = (value: string): string => (UUID.test(value) ? value.toLowerCase() : value);

/** `@Param('id', uuidParam('Invalid task ID format')) id: string`, in lower case. */
export const uuidParam = (message: string) => ({
  schema: z.string().regex(UUID, message).toLowerCase().meta({ format: 'uuid', description: 'As it was answered' }),
});

/** `@Param('stream', enumParam(['stdout', 'stderr'], 'Invalid output stream'))`. */
export const enumParam = <const Values extends readonly [string, ...string[]]>(values: Values, message: string) => ({
  schema: z.enum(values, message).meta({ description: 'Which of them', example: values[0] }),
});
