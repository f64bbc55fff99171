import { z } from 'zod';

/** Postgres and the short form of ISO 8601 both support these years. */
const EARLIEST = Date.parse('1970-01-01T00:00:00Z');
const LATEST = Date.parse('9999-12-31T00:00:00Z');

/** Converted to ISO 8601 in UTC. */
export const givenTime = z.iso
  .datetime({ offset: true })
  .refine((text) => Date.parse(text) >= EARLIEST && Date.parse(text) <= LATEST, 'must be in the years 1970 to 9999')
  .transform((text) => new Date(text).toISOString())
  .meta({ description: 'A time in the years 1970 to 9999' });
