import { blank } from './blanks.js';

/** What no schema can say of a good request. Everything else follows from the document. */
export interface Care {
  /** Instead of the owner's. */
  readonly token?: string;
  /** Fields of the body that few values are good for. */
  readonly fields?: Readonly<Record<string, readonly string[]>>;
}

export const CARE: Readonly<Record<string, Care>> = {
  register: { fields: { email: [blank('new email'), ` ${blank('new email')} `, blank('email')] } },
  login: { fields: { email: [blank('email')], password: [blank('password')] } },
  refresh: { fields: { refresh_token: [blank('refresh token'), blank('used refresh token')] } },
  changePassword: {
    token: blank('session token'),
    fields: { current_password: [blank('password')], new_password: [blank('password'), 'another password'] },
  },
  // Nobody can use it again.
  logout: { token: blank('session token') },
};

/** Parameters of a query that few values are good for. */
export const GOOD_VALUES: Readonly<Record<string, readonly unknown[]>> = {
  cursor: ['', blank('cursor')],
  as_of: ['1', '2', '2000-01-01T00:00:00Z', '2100-01-01T00:00:00+01:00', '0000-01-01T00:00:00+23:59'],
  // Nobody ends the run meanwhile.
  wait: [0],
};

/** Whose id stands in a path, by the segment before it: the first is the one that most requests are about. */
export const THINGS_OF: Readonly<Record<string, readonly [string, ...string[]]>> = {
  tasks: ['task', 'busy task', 'deleted task'],
  executions: ['external run', 'embedded run', 'running run', 'ended run', 'dead letter'],
  'dead-letters': ['dead letter', 'discarded dead letter', 'external run'],
};
