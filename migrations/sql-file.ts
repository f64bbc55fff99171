import { readFileSync } from 'node:fs';

/** Statements that are too long to stand in a migration; in `dist`, beside the bundle (infra/build/bundle.mjs). */
export const sqlFile = (name: string): string => readFileSync(new URL(`./sql/${name}.sql`, import.meta.url), 'utf8');
