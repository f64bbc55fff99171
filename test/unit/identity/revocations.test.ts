import { Revocations } from '../../../src/identity/app/revocations.js';
import type { Revoked } from '../../../src/identity/store/identity-store.js';
import { Unavailable } from '../../../src/kernel/errors.js';
import { silentLog } from '../../../src/platform/telemetry/log.js';

const ACCESS_TOKEN_MS = 900_000;

function setup() {
  const world = {
    nowMs: 10_000_000,
    stored: [] as Revoked[],
    asked: [] as number[],
    away: false,
  };
  const revocations = new Revocations({
    of: 'sessions',
    keptMs: ACCESS_TOKEN_MS,
    log: silentLog,
    now: () => world.nowMs,
    findRevokedSince: async (since) => {
      world.asked.push(since.getTime());
      if (world.away) throw new Error('gone');
      return world.stored.filter(({ revokedAt }) => revokedAt > since);
    },
  });
  return { world, revocations };
}

test('queries first, then at most once a second', async () => {
  const { world, revocations } = setup();
  world.stored.push({ id: 's1', revokedAt: new Date(world.nowMs - 1_000) });
  expect(await revocations.isRevoked('s1')).toBe(true);
  expect(await revocations.isRevoked('s2')).toBe(false);
  expect(world.asked).toHaveLength(1);
  world.stored.push({ id: 's2', revokedAt: new Date(world.nowMs) });
  world.nowMs += 1_001;
  expect(await revocations.isRevoked('s2')).toBe(true);
  expect(world.asked).toHaveLength(2);
});

test('concurrent callers share one query', async () => {
  const { world, revocations } = setup();
  await Promise.all([revocations.isRevoked('a'), revocations.isRevoked('b')]);
  expect(world.asked).toHaveLength(1);
});

test('its own revocations apply at once', async () => {
  const { revocations } = setup();
  revocations.add('s1');
  expect(await revocations.isRevoked('s1')).toBe(true);
});

test('finds a revocation that committed after a newer one', async () => {
  const { world, revocations } = setup();
  world.stored.push({ id: 'new', revokedAt: new Date(world.nowMs) });
  await revocations.isRevoked('new');
  world.stored.push({ id: 'late', revokedAt: new Date(world.nowMs - 3_000) });
  world.nowMs += 1_001;
  expect(await revocations.isRevoked('late')).toBe(true);
});

test('does not accept tokens on old knowledge while Postgres is unavailable', async () => {
  const { world, revocations } = setup();
  expect(await revocations.isRevoked('s1')).toBe(false);
  world.away = true;
  world.nowMs += 900;
  expect(await revocations.isRevoked('s1')).toBe(false);
  world.nowMs += 200;
  await expect(revocations.isRevoked('s1')).rejects.toThrow(Unavailable);
  world.away = false;
  expect(await revocations.isRevoked('s1')).toBe(false);
});

test('forgets a session when all its tokens have expired', async () => {
  const { world, revocations } = setup();
  revocations.add('s1');
  world.nowMs += ACCESS_TOKEN_MS + 20_000;
  expect(await revocations.isRevoked('other')).toBe(false);
  expect(await revocations.isRevoked('s1')).toBe(false);
});
