import { z } from 'zod';

/** The response of an operation that returns only a confirmation. */
export const message = z.object({ message: z.string() }).meta({ id: 'Message' });
