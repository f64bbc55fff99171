import { jsonFaultOf } from '../../../../../src/http/validation/json-faults.js';
import { textFaultOf } from '../../../../../src/http/validation/storable.js';
import { asksForToken, type Contract, type Route } from '../contract.js';
import type { JsonSchema } from './json-schema.js';
import type { SentRequest } from './sent-request.js';

const JSON_TYPE = /^application\/json *(;|$)/i;
const BYTES_TYPE = /^(text\/plain|application\/octet-stream) *(;|$)/i;

/** Whether the document excludes the request. What it cannot express, it does not exclude. */
export function documentRefuses(contract: Contract, { operation }: Route, sent: SentRequest): boolean {
  if (asksForToken(operation) && !sent.knownCaller) return true;
  const parameters = operation.parameters ?? [];
  const refused = parameters.some(({ name, in: where, schema }) =>
    valuesOf(sent, name, where).some((value) => schema && !contract.accepts(schema, read(value, schema))),
  );
  return refused || (operation.requestBody !== undefined && bodyRefused(contract, operation.requestBody, sent));
}

type RequestBody = NonNullable<Route['operation']['requestBody']>;

function bodyRefused(contract: Contract, { required, content }: RequestBody, { body, headers }: SentRequest): boolean {
  if (body === undefined || body === '') return required === true;
  const bytes = content['text/plain']?.schema;
  // Content without a type is bytes.
  if (bytes) return !BYTES_TYPE.test(headers['content-type'] ?? 'text/plain') || !contract.accepts(bytes, body);
  if (!JSON_TYPE.test(headers['content-type'] ?? '')) return true;
  const value = parsed(body);
  // The schemas omit the rules for all bodies: no NUL, no lone surrogate, no excessive nesting, no lossy number.
  if (value === undefined || textFaultOf(value) || jsonFaultOf(Buffer.from(body.replace(/^\ufeff/, '')))) return true;
  return !contract.accepts(content['application/json']!.schema!, value);
}

/** undefined, which is not JSON, for an unreadable body. A byte order mark may be ignored (RFC 8259, section 8.1). */
export function parsed(body: string): unknown {
  try {
    return JSON.parse(body.replace(/^\ufeff/, ''));
  } catch {
    return undefined;
  }
}

/** A repeated parameter is a list, and no documented parameter is one. */
function valuesOf({ path, query, headers }: SentRequest, name: string, where: string): (string | readonly string[])[] {
  if (where === 'path') return [decoded(path[name]!)];
  if (where === 'header') return [headers[name.toLowerCase()]].filter((value) => value !== undefined);
  const all = new URLSearchParams(query).getAll(name);
  return all.length > 1 ? [all] : all;
}

/** In a URL every value is text. */
function read(value: string | readonly string[], { type }: JsonSchema): unknown {
  return type === 'integer' && typeof value === 'string' && /^-?\d+$/.test(value) ? Number(value) : value;
}

/** A malformed path matches no schema: not even one that accepts every text. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
