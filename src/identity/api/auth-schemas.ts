import { z } from 'zod';

import { text } from '../../platform/http/validation/text.js';

const EMAIL_CHARS_MAX = 254;
const PASSWORD_CHARS_MIN = 8;
const PASSWORD_CHARS_MAX = 128;
const NAME_CHARS_MAX = 255;
/** Ours have about 400. */
const TOKEN_CHARS_MAX = 4_096;
/** Looser than what decides: for the document, which has no format for an address with spaces around it. */
const LIKE_EMAIL = '^\\s*[^\\s@]+@[^\\s@]+\\.[^\\s@]+\\s*$';

export const registerBody = z
  .strictObject({
    email: text({ max: EMAIL_CHARS_MAX })
      .trim()
      .pipe(z.email('Must be an email address'))
      .meta({ pattern: LIKE_EMAIL }),
    password: z.string().min(PASSWORD_CHARS_MIN).max(PASSWORD_CHARS_MAX),
    name: text({ max: NAME_CHARS_MAX }).trim().min(1).meta({ pattern: '\\S' }),
  })
  .meta({
    id: 'RegisterRequest',
    example: { email: 'ada@example.com', password: 'correct horse battery', name: 'Ada Lovelace' },
  });

/** Looser than registering: what could never be registered is a wrong email or password, not a malformed request. */
export const loginBody = z
  .strictObject({
    email: text({ min: 1, max: EMAIL_CHARS_MAX }),
    password: z.string().min(1).max(PASSWORD_CHARS_MAX),
  })
  .meta({ id: 'LoginRequest', example: { email: 'ada@example.com', password: 'correct horse battery' } });

export const refreshBody = z
  .strictObject({ refresh_token: text({ min: 1, max: TOKEN_CHARS_MAX }) })
  .meta({ id: 'RefreshRequest', example: { refresh_token: 'the refresh_token of the last answer' } });

export const userShape = z
  .object({
    id: z.uuid(),
    email: z.string(),
    name: z.string(),
    created_at: z.iso.datetime(),
    updated_at: z.iso.datetime(),
  })
  .meta({ id: 'User' });

export const authResponse = z
  .object({
    access_token: z.string(),
    refresh_token: z.string(),
    token_type: z.literal('Bearer'),
    expires_in: z.int32(),
    user: userShape,
  })
  .meta({ id: 'AuthResponse' });

export const meResponse = z.object({ user: userShape }).meta({ id: 'MeResponse' });
export const messageResponse = z.object({ message: z.string() }).meta({ id: 'Message' });

export type RegisterBody = z.output<typeof registerBody>;
export type LoginBody = z.output<typeof loginBody>;
export type RefreshBody = z.output<typeof refreshBody>;
export type AuthResponse = z.output<typeof authResponse>;
export type UserShape = z.output<typeof userShape>;
