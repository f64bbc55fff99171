import { ApiKeys } from '../../../src/identity/app/api-keys.js';
import { keyHashOf, newKeyText } from '../../../src/identity/app/key-text.js';
import { Revocations } from '../../../src/identity/app/revocations.js';
import type { ApiKey } from '../../../src/identity/store/entities.js';
import { silentLog } from '../../../src/platform/telemetry/log.js';

const MINUTE = 60_000;

function setup({ expiresAt = null }: { expiresAt?: Date | null } = {}) {
  const text = newKeyText();
  const key: ApiKey = {
    id: 'k1',
    userId: 'ada',
    name: 'ci',
    prefix: 'vr_',
    hash: keyHashOf(text),
    scopes: ['tasks:read'],
    createdAt: new Date(),
    expiresAt,
    lastUsedAt: null,
    revokedAt: null,
  };
  const world = { looks: 0, touches: 0, addresses: [] as string[], revoked: [] as { id: string; revokedAt: Date }[] };
  const store = {
    findByHash: async (hash: Buffer) => {
      world.looks += 1;
      return hash.equals(key.hash) ? key : null;
    },
    touch: async () => void (world.touches += 1),
    addAddress: async (_: unknown, address: Buffer) => void world.addresses.push(address.toString('hex')),
  };
  const findRevokedSince = async () => world.revoked;
  const revocations = new Revocations({ of: 'API keys', findRevokedSince, keptMs: MINUTE, log: silentLog });
  const announced = { announce: () => undefined };
  const keys = new ApiKeys({ store: store as never, revocations, facts: announced as never, log: silentLog });
  return { keys, text, world };
}

test('a key is looked up once, and its use is written once a minute and address', async () => {
  const { keys, text, world } = setup();
  for (const address of ['1.1.1.1', '1.1.1.1', '2.2.2.2', '1.1.1.1'])
    expect(await keys.verify(text, address)).toEqual({
      userId: 'ada',
      isAdmin: false,
      sessionId: null,
      key: { id: 'k1', scopes: ['tasks:read'] },
    });
  await keys.stop();
  expect(world).toMatchObject({ looks: 1, touches: 2 });
  expect(new Set(world.addresses).size).toBe(2);
  expect(world.addresses.join()).not.toContain('1.1.1.1');
});

test('a malformed key is refused without a look-up, an unknown one after it', async () => {
  const { keys, text, world } = setup();
  await expect(keys.verify(`${text}x`, 'here')).rejects.toMatchObject({ code: 'invalid_token' });
  expect(world.looks).toBe(0);
  await expect(keys.verify(newKeyText(), 'here')).rejects.toMatchObject({ code: 'invalid_token' });
  expect(world.looks).toBe(1);
});

test('a key that expires or is revoked while it is known is refused', async () => {
  const expired = setup({ expiresAt: new Date(Date.now() - 1) });
  await expect(expired.keys.verify(expired.text, 'here')).rejects.toMatchObject({ code: 'invalid_token' });
  const { keys, text, world } = setup();
  world.revoked.push({ id: 'k1', revokedAt: new Date() });
  await expect(keys.verify(text, 'here')).rejects.toMatchObject({ code: 'invalid_token' });
});
