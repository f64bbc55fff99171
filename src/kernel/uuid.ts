import { v5, v7 } from 'uuid';

/** Namespace of every id that follows from something else (RFC 9562, section 5.5). Never change it. */
const DERIVED = '5f0c9a52-6f0e-5d0c-9d5e-0b7a3c0f6d11';

/** Sortable by time (RFC 9562, section 5.7). */
export const newId = (): string => v7();

/** The same parts give the same id, on every machine and for ever. */
export const derivedId = (...parts: readonly (string | number | bigint)[]): string => v5(parts.join('\u001f'), DERIVED);
