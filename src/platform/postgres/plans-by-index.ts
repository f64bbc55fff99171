/**
 * For sessions that look things up. Postgres takes a page read out of turn for four times as dear as the next one, a
 * spinning disk's figure: by it, whoever has most of a table is served by scans of all of it where an index has the
 * answer in order (ADR 20). This is the usual figure for solid state, and for what is cached.
 */
export const PLANS_BY_INDEX = { random_page_cost: '1.1' } as const;
