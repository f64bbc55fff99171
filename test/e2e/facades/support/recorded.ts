import { readFileSync } from 'node:fs';

/** A request written from the public documents of a service, and its response. */
export interface Recorded {
  readonly name: string;
  readonly request: { readonly method: string; readonly path: string; readonly body?: unknown };
  readonly response: { readonly status: number; readonly body: unknown };
}

export const recordedIn = (fixture: string): (readonly [string, Recorded])[] =>
  (JSON.parse(readFileSync(new URL(`../fixtures/${fixture}.json`, import.meta.url), 'utf8')) as Recorded[]).map(
    (each) => [each.name, each],
  );

/** With matchers for placeholders: «number», «text», and «text: …», a text that contains the rest. */
export function expected(value: unknown): unknown {
  if (value === '«number»') return expect.any(Number);
  if (value === '«text»') return expect.any(String);
  if (typeof value === 'string' && value.startsWith('«text: ')) return expect.stringContaining(value.slice(7, -1));
  if (Array.isArray(value)) return value.map(expected);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, expected(each)]));
}
