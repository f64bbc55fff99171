/**
 * For sessions that do lookups. By default, Postgres assumes that a random page read costs four times as much as a
 * sequential one, as on a spinning disk. With that figure, queries for a user who owns most of a table scan the whole
 * table, although an index has the result in order (ADR 20). This is the usual figure for solid state disks and for
 * cached data.
 */
export const PLANS_BY_INDEX = { random_page_cost: '1.1' } as const;
