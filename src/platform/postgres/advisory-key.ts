import { createHash } from 'node:crypto';

/** Advisory locks are named by 64 bits (PostgreSQL manual, 13.3.5); the hash keeps those of different names apart. */
export const advisoryKey = (name: string): string =>
  createHash('sha256').update(`voidrunner ${name}`).digest().readBigInt64BE(0).toString();
