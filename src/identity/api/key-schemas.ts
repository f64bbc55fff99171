import { z } from 'zod';

import { SCOPES } from '../../http/scopes.js';
import { givenTime } from '../../http/validation/given-time.js';
import { text } from '../../http/validation/text.js';

const NAME_CHARS_MAX = 100;

const scopes = z
  .array(z.enum(SCOPES))
  .min(1)
  .max(SCOPES.length)
  .transform((given) => [...new Set(given)])
  .describe('What the key may do');

export const createKeyBody = z
  .strictObject({
    name: text({ min: 1, max: NAME_CHARS_MAX }).describe('For you: what uses the key'),
    scopes,
    expires_at: givenTime
      .refine((time) => Date.parse(time) > Date.now(), { message: 'must be in the future', params: { tag: 'min' } })
      .nullable()
      .default(null)
      .describe('The key is refused from then on. Null: it does not expire'),
  })
  .meta({ id: 'CreateKey', example: { name: 'ci', scopes: ['tasks:read', 'executions:write', 'executions:read'] } });
export type CreateKeyBody = z.output<typeof createKeyBody>;

const keyFields = {
  id: z.uuid(),
  name: z.string(),
  prefix: z.string().describe('The first characters of the key'),
  scopes: z.array(z.enum(SCOPES)),
  created_at: z.iso.datetime(),
  expires_at: z.iso.datetime().nullable(),
};

export const keyView = z
  .object({
    ...keyFields,
    last_used_at: z.iso.datetime().nullable().describe('Written at most once a minute'),
  })
  .meta({ id: 'Key' });
export type KeyView = z.output<typeof keyView>;

export const createdKeyView = z
  .object({ ...keyFields, key: z.string().describe('The key itself. It is shown only once') })
  .meta({ id: 'CreatedKey' });
export type CreatedKeyView = z.output<typeof createdKeyView>;

export const keyListView = z.object({ keys: z.array(keyView) }).meta({ id: 'KeyList' });
