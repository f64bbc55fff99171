import type { PoolClient } from 'pg';

import type { Projection } from './projection.js';

type Client = Pick<PoolClient, 'query'>;

/** A rebuild's own copy of a view. */
export const shadowOf = (table: string): string => `${table}__rebuild`;

/** Creates an empty table with the columns, key and privileges of the live table. */
export async function createShadow(client: Client, { table, key }: Projection): Promise<void> {
  const shadow = shadowOf(table);
  await client.query(`drop table if exists read.${shadow}`);
  await client.query(`create table read.${shadow} (like read.${table} including all excluding indexes)`);
  await client.query(`alter table read.${shadow} add primary key (${key})`);
  await client.query(
    `do $$ declare granted record; begin
       for granted in
         select acl.grantee::regrole as role, string_agg(acl.privilege_type, ', ') as privileges
         from pg_class c, aclexplode(c.relacl) acl
         where c.oid = 'read.${table}'::regclass and acl.grantee <> 0 and acl.grantee <> c.relowner
         group by acl.grantee
       loop execute format('grant %s on read.${shadow} to %s', granted.privileges, granted.role); end loop;
     end $$`,
  );
}

/** Creates the other indexes of the live table after the fill: each in one pass, not row by row. */
export async function indexShadow(client: Client, { table }: Projection): Promise<void> {
  const shadow = shadowOf(table);
  const there = await indexesOf(client, shadow);
  for (const definition of (await indexesOf(client, table)).keys()) {
    if (there.has(definition)) continue;
    const [, unique, rest] = /^(unique )?(.*)$/s.exec(definition)!;
    await client.query(`create ${unique ?? ''}index on read.${shadow} ${rest}`);
  }
}

export async function dropShadow(client: Client, { table }: Projection): Promise<void> {
  await client.query(`drop table if exists read.${shadowOf(table)}`);
}

/** Counts the rows, and the keys whose rows are not identical in both. */
export async function compareShadow(
  client: Client,
  { table, key, columns }: Projection,
  examplesMax: number,
): Promise<{ live: number; rebuilt: number; differing: number; examples: string[] }> {
  const names = Object.keys(columns).join(', ');
  const sql = (from: string, other: string): string =>
    `(select ${names} from read.${from} except all select ${names} from read.${other})`;
  const shadow = shadowOf(table);
  const { rows } = await client.query<{ live: number; rebuilt: number; differing: number; examples: string[] }>(
    `with differing as (
       select distinct ${key}::text as key
       from (${sql(table, shadow)} union all ${sql(shadow, table)}) as either)
     select (select count(*)::int from read.${table}) as live, (select count(*)::int from read.${shadow}) as rebuilt,
       (select count(*)::int from differing) as differing,
       array(select key from differing order by key limit ${examplesMax}) as examples`,
  );
  return rows[0]!;
}

/**
 * Replaces the live table by the shadow, under the same name. The indexes take the names of those they replace, so
 * that the next migration finds the names that the last one created.
 */
export async function swapShadow(client: Client, { table }: Projection): Promise<void> {
  const shadow = shadowOf(table);
  const live = await indexesOf(client, table);
  const fresh = await indexesOf(client, shadow);
  await client.query(`drop table read.${table}`);
  await client.query(`alter table read.${shadow} rename to ${table}`);
  for (const [definition, name] of fresh) {
    const wanted = live.get(definition);
    if (wanted !== undefined) await client.query(`alter index read.${name} rename to ${wanted}`);
  }
}

/** Quoted names by definition of the index, without its own name and that of its table. */
async function indexesOf(client: Client, table: string): Promise<Map<string, string>> {
  const { rows } = await client.query<{ name: string; definition: string }>(
    `select quote_ident(c.relname) as name,
       (case when i.indisunique then 'unique ' else '' end) || substring(pg_get_indexdef(i.indexrelid) from ' USING .*')
         as definition
     from pg_index i join pg_class c on c.oid = i.indexrelid
     where i.indrelid = 'read.${table}'::regclass order by c.relname`,
  );
  return new Map(rows.map(({ name, definition }) => [definition, name]));
}
