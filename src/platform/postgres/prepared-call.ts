import { type Client, type Connection, Query, type QueryResultRow } from 'pg';

import { callMessage, type CallValue } from './call-message.js';

/** Prepared once a connection, under a name that stands for this text alone. */
export interface PreparedStatement {
  readonly name: string;
  readonly text: string;
}

/** The columns of a row as Postgres prints them. */
export type TextRow = readonly (string | null)[];

/** What pg keeps about statements: those that were parsed, and those whose parsing is on its way. */
interface Parsing {
  readonly parsedStatements: Readonly<Record<string, string>>;
  readonly submittedNamedStatements: Record<string, string>;
}

/**
 * Calls a prepared statement that answers with one row whose columns the caller knows. What pg does for any query, it
 * leaves out: a Describe and its answer, four writes, a promise with a stack trace, an object for the result; a cold
 * process pays for each line it runs, and a short append was a twelfth slower by it. Pipelining, errors and, where the
 * client has one, its timeout are pg's: a client that pipelines takes queries of pg's own class only.
 * Rejects as pg does.
 */
export function callPrepared(
  client: Client,
  statement: PreparedStatement,
  values: readonly CallValue[],
): Promise<TextRow> {
  return new Promise((resolve, reject) => {
    // First of all: pg would have taken the call on before it could fail.
    const message = callMessage(statement.name, values);
    client.query(
      new PreparedCall(statement, message, (error, row) => {
        if (error) reject(error);
        else resolve(row);
      }),
    );
  });
}

class PreparedCall extends Query<QueryResultRow> {
  /** By these two pg keeps account of what was parsed. */
  readonly name: string;
  readonly text: string;
  /** pg puts its own around it, which ends the timeout. */
  readonly callback: (error: Error | null, row: TextRow) => void;
  private row: TextRow = [];

  constructor(
    { name, text }: PreparedStatement,
    private readonly message: Buffer,
    callback: (error: Error | null, row: TextRow) => void,
  ) {
    // Not the statement: pg would copy it property by property, by its descriptors.
    super(text);
    this.name = name;
    this.text = text;
    this.callback = callback;
  }

  override readonly submit = (connection: Connection): null => {
    const { name, text } = this;
    const { parsedStatements, submittedNamedStatements } = connection as unknown as Parsing;
    const isParsed = parsedStatements[name] !== undefined || submittedNamedStatements[name] !== undefined;
    if (!isParsed) {
      connection.parse({ name, text, types: [] }, true);
      submittedNamedStatements[name] = text;
    }
    connection.stream.write(this.message);
    return null;
  };

  handleDataRow({ fields }: { fields: TextRow }): void {
    this.row = fields;
  }

  handleCommandComplete(): void {
    // It says how many rows there were: one.
  }

  handleReadyForQuery(): void {
    this.callback(null, this.row);
  }
}
