import { grantToApp } from './grants.js';
import { sqlFile } from './sql-file.js';

export const APPEND_SIGNATURE =
  'es.append(boolean, int[], uuid[], int[], int[], text[], uuid[], int[], uuid[], text[], smallint[], jsonb[], jsonb[])';

export const APPEND_EVENT_SIGNATURE = 'es.append_event(boolean, text, uuid, int, uuid, text, smallint, jsonb, jsonb)';

/** Creates a function from its file, which the application's role alone may execute. */
export const functionStatements = (signature: string, file: string): readonly string[] => [
  sqlFile(file),
  `revoke all on function ${signature} from public`,
  grantToApp('execute', `function ${signature}`),
];
