import { z } from 'zod';

import type { EventOf } from '../../event-sourcing/core/event-type.js';
import { eventType } from '../../event-sourcing/core/event-type.js';

/*
 * Security-relevant facts about an account, for the `user-<uuid>` stream. They contain ids only, no email, name or
 * address, because events are never deleted from the log.
 */
const user = { user_id: z.uuid() };
const session = { ...user, session_id: z.uuid() };
const sessionsEnded = { ...session, sessions_ended: z.int().nonnegative() };

export const UserRegistered = eventType('UserRegistered', z.object(user));
export const UserLoggedIn = eventType('UserLoggedIn', z.object(session));
export const LoginRefused = eventType('LoginRefused', z.object({ ...user, reason: z.enum(['wrong_password']) }));
export const UserLoggedOut = eventType('UserLoggedOut', z.object(session));
/** Every session of the user was revoked, including this one. */
export const UserLoggedOutEverywhere = eventType('UserLoggedOutEverywhere', z.object(sessionsEnded));
/** A refresh token was used a second time: someone else has it. Its session was revoked. */
export const RefreshTokenReused = eventType('RefreshTokenReused', z.object(session));
/** The previous refresh token was used again within the grace time: a race or a lost response. Nothing was revoked. */
export const RefreshTokenRepeated = eventType('RefreshTokenRepeated', z.object(session));
/** By `session_id`, which continues; the user's other sessions were revoked in the same transaction. */
export const PasswordChanged = eventType('PasswordChanged', z.object(sessionsEnded));
/** Someone with an access token sent a wrong current password. */
export const PasswordChangeRefused = eventType('PasswordChangeRefused', z.object(session));
export const AdminGranted = eventType('AdminGranted', z.object(user));
/** Every session of the user was revoked with it, so it takes effect at once. */
export const AdminRevoked = eventType('AdminRevoked', z.object(user));
/** Someone with an access token sent a wrong password to erase the account. */
export const UserErasureRefused = eventType('UserErasureRefused', z.object(session));
/**
 * By the event's actor: the user, or an operator. Email, name, password and names of API keys are erased, and every
 * session and key is revoked. A row of `identity.erasures` makes the sweep erase the rest.
 */
export const UserErased = eventType('UserErased', z.object(user));

const apiKey = { ...user, key_id: z.uuid() };
export const ApiKeyCreated = eventType(
  'ApiKeyCreated',
  z.object({ ...apiKey, scopes: z.array(z.string()), expires_at: z.iso.datetime().nullable() }),
);
/** The address is in no event: `identity` has a hash of it. */
export const ApiKeyUsedFromNewAddress = eventType('ApiKeyUsedFromNewAddress', z.object(apiKey));
export const ApiKeyRevoked = eventType('ApiKeyRevoked', z.object(apiKey));

export const userEvents = {
  UserRegistered,
  UserLoggedIn,
  LoginRefused,
  UserLoggedOut,
  UserLoggedOutEverywhere,
  RefreshTokenReused,
  RefreshTokenRepeated,
  PasswordChanged,
  PasswordChangeRefused,
  AdminGranted,
  AdminRevoked,
  UserErasureRefused,
  UserErased,
  ApiKeyCreated,
  ApiKeyUsedFromNewAddress,
  ApiKeyRevoked,
};
export type UserEvent = EventOf<typeof userEvents>;
