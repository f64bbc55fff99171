import { DomainError } from '../../../src/kernel/errors.js';
import { requireOwner } from '../../../src/kernel/requester.js';
import { admin, owner, OWNER_ID, stranger } from '../../support/builders/people.js';

describe('an owner’s object', () => {
  test.each([
    ['its owner', owner],
    ['an admin', admin],
    ['the system', 'system' as const],
  ])('is open to %s', (_, requester) => {
    expect(() => requireOwner(requester, OWNER_ID)).not.toThrow();
  });

  test('is closed to everyone else', () => {
    expect(() => requireOwner(stranger, OWNER_ID)).toThrow(DomainError);
    expect(() => requireOwner(stranger, OWNER_ID)).toThrow('Access denied');
  });
});
