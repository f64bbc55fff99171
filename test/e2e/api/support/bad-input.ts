import type { Person } from './api.js';

/** One bad request, as raw as it has to be. */
export interface BadRequest {
  readonly method: string;
  readonly path: string;
  readonly body: unknown;
}

/** What the answer says is wrong: field and tag of each. */
export async function refusalOf(who: Person, { method, path, body }: BadRequest): Promise<[number, ...string[]]> {
  const answer = await who.send(method, path, body);
  const errors: { field: string; tag: string }[] = answer.body.validation_errors ?? [];
  return [answer.status, ...errors.map(({ field, tag }) => `${field}: ${tag}`)];
}

/** A value at every depth of an object, by its path: `retry.max_attempts`. */
export function at(path: string, value: unknown): Record<string, unknown> {
  const [head, ...rest] = path.split('.') as [string, ...string[]];
  return { [head]: rest.length === 0 ? value : at(rest.join('.'), value) };
}

/** Copies of a value, each with one of its strings or names made bad. */
export function corrupted(value: unknown, bad: string): unknown[] {
  if (typeof value === 'string') return [value + bad];
  if (Array.isArray(value)) {
    return value.flatMap((item, index) => corrupted(item, bad).map((copy) => value.with(index, copy)));
  }
  if (typeof value !== 'object' || value === null) return [];
  const inner = Object.entries(value).flatMap(([name, each]) =>
    corrupted(each, bad).map((copy) => ({ ...value, [name]: copy })),
  );
  return [...inner, { ...value, [`x${bad}`]: 1 }];
}

/** Values that another field's type would be, and this one's is. */
export function isFine(name: string, value: unknown): boolean {
  if (typeof value === 'string') return ['name', 'description', 'script_content', 'stdout', 'stderr'].includes(name);
  if (value === null) return name === 'description';
  return name === 'metadata' && typeof value === 'object' && !Array.isArray(value);
}
