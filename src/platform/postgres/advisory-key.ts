import { createHash } from 'node:crypto';

/** Advisory locks are identified by 64 bits (PostgreSQL manual, 13.3.5); the hash keeps different names apart. */
export const advisoryKey = (name: string): string =>
  createHash('sha256').update(`voidrunner ${name}`).digest().readBigInt64BE(0).toString();
