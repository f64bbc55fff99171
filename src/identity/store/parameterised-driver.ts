import { randomUUID } from 'node:crypto';

import { type Configuration, isRaw, Utils } from '@mikro-orm/core';
import { NativeQueryBuilder, PostgreSqlConnection, PostgreSqlDriver } from '@mikro-orm/postgresql';

type Execute = PostgreSqlConnection['execute'];
type Compiled = Exclude<
  Parameters<ReturnType<PostgreSqlConnection['getClient']>['executeQuery']>[0],
  { compile: unknown }
>;

/** The part of Kysely that is used; the package is not ours to depend on. */
interface StatementClient {
  executeQuery(statement: Compiled): Promise<unknown>;
}

/** MikroORM's driver, but for how it sends values. */
export class ParameterisedDriver extends PostgreSqlDriver {
  protected override readonly connection: PostgreSqlConnection;

  constructor(config: Configuration) {
    super(config);
    this.connection = new ParameterisedConnection(config);
  }
}

/**
 * MikroORM 7 writes the values of its parameters into the text of the statement. The text goes where no value may go:
 * into spans, `pg_stat_activity`, and the server's log where the statement fails. Here the values travel as parameters.
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

  /** It would send the values in the text. */
  override stream(): never {
    throw new Error('identity reads no streams');
  }
}

/** A statement in MikroORM's own SQL, with its placeholders, and their values. */
function statementOf(
  query: Parameters<Execute>[0],
  given: Parameters<Execute>[1] = [],
): { sql: string; params: readonly unknown[] } {
  const statement = query instanceof NativeQueryBuilder ? query.toRaw() : query;
  if (typeof statement !== 'string') return statement;
  if (!Array.isArray(given)) throw new Error('identity has no named parameters');
  return { sql: statement, params: given };
}

interface Quoting {
  quoteIdentifier(name: never): string;
}

/**
 * Numbers the placeholders of MikroORM's SQL: `?` is a value, `??` an identifier, `\?` a question mark
 * (Platform.formatQuery reads them alike).
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
    // MikroORM's way to write `in (?)`.
    if (Array.isArray(value)) return value.map(written).join(', ');
    values.push(Utils.isPlainObject(value) ? JSON.stringify(value) : value);
    return `$${values.length}`;
  };
  return { text: write(sql, params), values };
}

/** What Kysely's CompiledQuery.raw makes. */
const compiled = (text: string, values: unknown[]): Compiled => ({
  sql: text,
  parameters: values,
  query: { kind: 'RawNode', sqlFragments: [text], parameters: [] },
  queryId: { queryId: randomUUID() },
});
