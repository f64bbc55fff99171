import { randomUUID } from 'node:crypto';

import { type Configuration, isRaw, Utils } from '@mikro-orm/core';
import { NativeQueryBuilder, PostgreSqlConnection, PostgreSqlDriver } from '@mikro-orm/postgresql';

type Execute = PostgreSqlConnection['execute'];
type Compiled = Exclude<
  Parameters<ReturnType<PostgreSqlConnection['getClient']>['executeQuery']>[0],
  { compile: unknown }
>;

/** The used part of Kysely, which is not a direct dependency. */
interface StatementClient {
  executeQuery(statement: Compiled): Promise<unknown>;
}

/** MikroORM's driver, except that it sends values as parameters. */
export class ParameterisedDriver extends PostgreSqlDriver {
  protected override readonly connection: PostgreSqlConnection;

  constructor(config: Configuration) {
    super(config);
    this.connection = new ParameterisedConnection(config);
  }
}

/**
 * MikroORM 7 writes parameter values into the text of the statement. The text appears where no value may appear: in
 * spans, in `pg_stat_activity`, and in the server's log if the statement fails. This class sends values as parameters.
 */
class ParameterisedConnection extends PostgreSqlConnection {
  override async execute<T>(
    ...[query, given = [], method = 'all', ctx, loggerContext]: Parameters<Execute>
  ): Promise<T> {
    await this.ensureConnection();
    const { sql, params } = statementOf(query, given);
    const { text, values } = parameterised(this.platform, sql, params);
    return this.executeQuery(
      sql,
      async () => {
        const client = (ctx ?? this.getClient()) as StatementClient;
        return this.transformRawResult<T>((await client.executeQuery(compiled(text, values))) as never, method);
      },
      loggerContext,
    );
  }

  /** Not supported, because MikroORM would send the values in the text. */
  override stream(): never {
    throw new Error('identity does not support streaming queries');
  }
}

/** A statement in MikroORM's SQL with placeholders, and their values. */
function statementOf(
  query: Parameters<Execute>[0],
  given: Parameters<Execute>[1] = [],
): { sql: string; params: readonly unknown[] } {
  const statement = query instanceof NativeQueryBuilder ? query.toRaw() : query;
  if (typeof statement !== 'string') return statement;
  if (!Array.isArray(given)) throw new Error('identity does not support named parameters');
  return { sql: statement, params: given };
}

interface Quoting {
  quoteIdentifier(name: never): string;
}

/**
 * Numbers the placeholders of MikroORM's SQL: `?` is a value, `??` an identifier, `\?` a question mark
 * (as in Platform.formatQuery).
 */
export function parameterised(
  platform: Quoting,
  sql: string,
  params: readonly unknown[],
): { text: string; values: unknown[] } {
  const values: unknown[] = [];
  const write = (fragment: string, given: readonly unknown[]): string => {
    let used = 0;
    return fragment.replaceAll(/\\\?|\?\??/g, (placeholder) => {
      if (placeholder === '\\?') return given.length === 0 ? placeholder : '?';
      if (given.length === 0) return placeholder;
      const value = given[used++];
      return placeholder === '??' ? platform.quoteIdentifier(value as never) : written(value);
    });
  };
  const written = (value: unknown): string => {
    if (isRaw(value)) return write(value.sql, value.params);
    // MikroORM's notation for `in (?)`.
    if (Array.isArray(value)) return value.map(written).join(', ');
    values.push(Utils.isPlainObject(value) ? JSON.stringify(value) : value);
    return `$${values.length}`;
  };
  return { text: write(sql, params), values };
}

/** Same result as Kysely's CompiledQuery.raw. */
const compiled = (text: string, values: unknown[]): Compiled => ({
  sql: text,
  parameters: values,
  query: { kind: 'RawNode', sqlFragments: [text], parameters: [] },
  queryId: { queryId: randomUUID() },
});
