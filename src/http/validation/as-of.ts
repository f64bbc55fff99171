import { z } from 'zod';

const VERSION = /^[1-9]\d{0,8}$/;
const time = z.iso.datetime({ offset: true });

/** `?as_of=` of a resource with a history: the version of one of its events, or a time. */
export const asOfQuery = z.strictObject({
  as_of: z
    .string()
    .max(64)
    .refine((text) => VERSION.test(text) || time.safeParse(text).success, {
      message: 'must be a version such as 3, or a time such as 2026-01-31T12:00:00Z',
      params: { tag: 'as_of' },
    })
    .transform((text) => (VERSION.test(text) ? { version: Number(text) } : { time: new Date(text) }))
    .optional()
    // No example: the page would send it by default and return an old state.
    .meta({
      pattern: '^([1-9][0-9]{0,8}|[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+(Z|[+-][0-9]{2}:[0-9]{2}))$',
      description:
        'A version from the history, such as 3, or an RFC 3339 time. The response is the state at that point',
    }),
});
export type AsOfQuery = z.output<typeof asOfQuery>;
