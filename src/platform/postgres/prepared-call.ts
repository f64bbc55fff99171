import { type Client, type Connection, Query, type QueryResultRow } from 'pg';

/** Prepared once per connection, under a name that stands for this text alone. */
export interface PreparedStatement {
  readonly name: string;
  readonly text: string;
}

/** A parameter: text as Postgres would print it, or an array in binary format. */
export type CallValue = string | number | boolean | { toPostgres(): Buffer };

/** The columns of a row as Postgres prints them. */
export type TextRow = readonly (string | null)[];

/** What pg records about statements: those parsed, and those being parsed. */
interface Parsing {
  readonly parsedStatements: Readonly<Record<string, string>>;
  readonly submittedNamedStatements: Record<string, string>;
}

/**
 * Calls a prepared statement that returns one row whose columns the caller knows. It leaves out what pg does for any
 * query: a Describe and its response, a promise with a stack trace, an object for the result. With them, the process of
 * a single caller takes at least a fifth more CPU time for an append (ADR 45). Pipelining, errors and the timeout of the
 * client, if any, are those of pg: a client that pipelines accepts only queries of its own class. Rejects as pg does.
 */
export function callPrepared(
  client: Client,
  statement: PreparedStatement,
  values: readonly CallValue[],
): Promise<TextRow> {
  return new Promise((resolve, reject) => {
    // Comes first: it may throw, and pg must not have accepted the call then.
    const encoded = values.map(encode);
    client.query(
      new PreparedCall(statement, encoded, (error, row) => {
        if (error) reject(error);
        else resolve(row);
      }),
    );
  });
}

const encode = (value: CallValue): string | Buffer => (typeof value === 'object' ? value.toPostgres() : String(value));

class PreparedCall extends Query<QueryResultRow> {
  /** pg tracks parsed statements by these two. */
  readonly name: string;
  readonly text: string;
  /** pg wraps it in its own, which clears the timeout. */
  readonly callback: (error: Error | null, row: TextRow) => void;
  private row: TextRow = [];

  constructor(
    { name, text }: PreparedStatement,
    private readonly values: (string | Buffer)[],
    callback: (error: Error | null, row: TextRow) => void,
  ) {
    // Not the statement: pg would copy it property by property, with descriptors.
    super(text);
    this.name = name;
    this.text = text;
    this.callback = callback;
  }

  override readonly submit = (connection: Connection): null => {
    const { name, text } = this;
    const { parsedStatements, submittedNamedStatements } = connection as unknown as Parsing;
    const isParsed = parsedStatements[name] !== undefined || submittedNamedStatements[name] !== undefined;
    connection.stream.cork();
    if (!isParsed) {
      connection.parse({ name, text, types: [] }, true);
      submittedNamedStatements[name] = text;
    }
    connection.bind({ statement: name, values: this.values }, true);
    connection.execute(null, true);
    connection.sync();
    connection.stream.uncork();
    return null;
  };

  handleDataRow({ fields }: { fields: TextRow }): void {
    this.row = fields;
  }

  handleCommandComplete(): void {
    // It reports how many rows there were: one.
  }

  handleReadyForQuery(): void {
    this.callback(null, this.row);
  }
}
