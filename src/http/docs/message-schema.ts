import { z } from 'zod';

/** What is answered where there is nothing to show but that it was done. */
export const message = z.object({ message: z.string() }).meta({ id: 'Message' });
