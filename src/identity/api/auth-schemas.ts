import { z } from 'zod';

import { text } from '../../http/validation/text.js';
import { charsOf, normalText } from '../domain/normal-text.js';
import { PASSWORD_CHARS_MAX, PASSWORD_CHARS_MIN, passwordChars } from '../domain/password.js';

export const EMAIL_CHARS_MAX = 254;
const NAME_CHARS_MAX = 255;
/** Tokens of this service have about 400 characters. */
const TOKEN_CHARS_MAX = 4_096;
/** For the document only, which has no format for an address with spaces around it. Looser than the validation. */
const LIKE_EMAIL = '^\\s*[^\\s@]+@[^\\s@]+\\.[^\\s@]+\\s*$';

const atLeast = (chars: number) => ({ message: `must be at least ${chars} characters`, params: { tag: 'min' } });
const atMost = (chars: number) => ({ message: `must be at most ${chars} characters`, params: { tag: 'max' } });

/** Lengths are checked after normalisation. */
const passwordOf = (charsMin: number) =>
  z
    .string()
    .refine((text) => passwordChars(text) >= charsMin, atLeast(charsMin))
    .refine((text) => passwordChars(text) <= PASSWORD_CHARS_MAX, atMost(PASSWORD_CHARS_MAX));

const newPassword = passwordOf(PASSWORD_CHARS_MIN).meta({
  minLength: PASSWORD_CHARS_MIN,
  maxLength: PASSWORD_CHARS_MAX,
  description:
    'Normalised to NFKC, with every space as U+0020. The length is counted in code points after normalisation',
});

/** Looser than newPassword: a password that cannot exist is a wrong password, not a malformed request. */
const anyPassword = passwordOf(1).meta({ minLength: 1, maxLength: PASSWORD_CHARS_MAX });

const name = z
  .string()
  .overwrite((text) => normalText(text.trim(), 'NFC', NAME_CHARS_MAX) ?? text)
  .min(1)
  .refine((text) => charsOf(text) <= NAME_CHARS_MAX, atMost(NAME_CHARS_MAX))
  .meta({
    maxLength: NAME_CHARS_MAX,
    pattern: '\\S',
    description: 'Stored in NFC, without leading and trailing white space',
  });

export const registerBody = z
  .strictObject({
    email: text({ max: EMAIL_CHARS_MAX })
      .trim()
      .pipe(z.email('Must be an email address'))
      .meta({ pattern: LIKE_EMAIL }),
    password: newPassword,
    name,
  })
  .meta({
    id: 'RegisterRequest',
    example: { email: 'ada@example.com', password: 'correct horse battery', name: 'Ada Lovelace' },
  });

/** Looser than registration: an email that cannot exist is a wrong email or password, not a malformed request. */
export const loginBody = z
  .strictObject({
    email: text({ min: 1, max: EMAIL_CHARS_MAX }),
    password: anyPassword,
  })
  .meta({ id: 'LoginRequest', example: { email: 'ada@example.com', password: 'correct horse battery' } });

export const refreshBody = z
  .strictObject({ refresh_token: text({ min: 1, max: TOKEN_CHARS_MAX }) })
  .meta({ id: 'RefreshRequest', example: { refresh_token: 'the refresh_token of the last response' } });

/** The body is optional. */
export const logoutBody = z
  .strictObject({ all: z.boolean().default(false).describe('Whether to end all your sessions, on all devices') })
  .prefault({})
  .meta({ id: 'LogoutRequest', example: { all: true } });

export const changePasswordBody = z.strictObject({ current_password: anyPassword, new_password: newPassword }).meta({
  id: 'ChangePasswordRequest',
  example: { current_password: 'correct horse battery', new_password: 'correct horse battery staple' },
});

export const eraseAccountBody = z
  .strictObject({ password: anyPassword })
  .meta({ id: 'EraseAccountRequest', example: { password: 'correct horse battery staple' } });

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

export const accountResponse = z.object({ user: userShape }).meta({ id: 'Account' });
export const messageResponse = z.object({ message: z.string() }).meta({ id: 'Message' });

export type RegisterBody = z.output<typeof registerBody>;
export type LoginBody = z.output<typeof loginBody>;
export type RefreshBody = z.output<typeof refreshBody>;
export type LogoutBody = z.output<typeof logoutBody>;
export type ChangePasswordBody = z.output<typeof changePasswordBody>;
export type EraseAccountBody = z.output<typeof eraseAccountBody>;
export type AuthResponse = z.output<typeof authResponse>;
export type UserShape = z.output<typeof userShape>;
