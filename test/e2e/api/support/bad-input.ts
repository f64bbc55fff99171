import type { Person } from './api.js';

/** One invalid request, sent unchanged. */
export interface BadRequest {
  readonly method: string;
  readonly path: string;
  readonly body: unknown;
}

/** The faults in the response: the field and tag of each. */
export async function refusalOf(who: Person, { method, path, body }: BadRequest): Promise<[number, ...string[]]> {
  const answer = await who.send(method, path, body);
  const errors: { field: string; tag: string }[] = answer.body.validation_errors ?? [];
  return [answer.status, ...errors.map(({ field, tag }) => `${field}: ${tag}`)];
}

/** The values at every depth of an object, by path: `retry.max_attempts`. */
export function at(path: string, value: unknown): Record<string, unknown> {
  const [head, ...rest] = path.split('.') as [string, ...string[]];
  return { [head]: rest.length === 0 ? value : at(rest.join('.'), value) };
}

/** Copies of a value, each with one invalid string or name. */
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

/** Values that are valid for fields of other types. */
export function isFine(name: string, value: unknown): boolean {
  if (typeof value === 'string') return ['name', 'description', 'script_content', 'stdout', 'stderr'].includes(name);
  if (value === null) return name === 'description';
  return name === 'metadata' && typeof value === 'object' && !Array.isArray(value);
}
