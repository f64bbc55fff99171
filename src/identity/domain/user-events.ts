import { z } from 'zod';

import type { EventOf } from '../../event-sourcing/core/event-type.js';
import { eventType } from '../../event-sourcing/core/event-type.js';

/*
 * Security-relevant facts about an account, for the `user-<uuid>` stream. Ids only: no email, name or address, since
 * what is in the log stays there forever.
 */
const user = { user_id: z.uuid() };
const session = { ...user, session_id: z.uuid() };
const sessionsEnded = { ...session, sessions_ended: z.int().nonnegative() };

export const UserRegistered = eventType('UserRegistered', z.object(user));
export const UserLoggedIn = eventType('UserLoggedIn', z.object(session));
export const LoginRefused = eventType('LoginRefused', z.object({ ...user, reason: z.enum(['wrong_password']) }));
export const UserLoggedOut = eventType('UserLoggedOut', z.object(session));
/** Every session of the user was revoked, this one among them. */
export const UserLoggedOutEverywhere = eventType('UserLoggedOutEverywhere', z.object(sessionsEnded));
/** A refresh token came a second time: somebody else has it. Its session was revoked. */
export const RefreshTokenReused = eventType('RefreshTokenReused', z.object(session));
/** The preceding refresh token came again within the grace window: a race or a lost answer. Nothing was revoked. */
export const RefreshTokenRepeated = eventType('RefreshTokenRepeated', z.object(session));
/** By `session_id`, which goes on; the user's other sessions were revoked with it. */
export const PasswordChanged = eventType('PasswordChanged', z.object(sessionsEnded));
/** Somebody with an access token did not know the current password. */
export const PasswordChangeRefused = eventType('PasswordChangeRefused', z.object(session));
export const AdminGranted = eventType('AdminGranted', z.object(user));
/** Every session of the user was revoked with it, so it holds at once. */
export const AdminRevoked = eventType('AdminRevoked', z.object(user));
/** Email, name and password are gone, every session was revoked, and the key of the user's payloads is to be destroyed. */
export const UserErased = eventType('UserErased', z.object(user));

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
  UserErased,
};
export type UserEvent = EventOf<typeof userEvents>;
