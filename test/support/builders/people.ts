import type { EventMetadata } from '../../../src/event-sourcing/core/event.js';
import type { Requester } from '../../../src/kernel/requester.js';

export const OWNER_ID = '018f0000-0000-7000-8000-00000000000a';

export const owner: Requester = { userId: OWNER_ID, isAdmin: false };
export const stranger: Requester = { userId: '018f0000-0000-7000-8000-00000000000b', isAdmin: false };
export const admin: Requester = { userId: '018f0000-0000-7000-8000-00000000000c', isAdmin: true };

export const metadata: EventMetadata = { actor: 'system:test', correlation_id: 'a-test' };
