import { HealthProbes } from '../../../src/operations/health/health-probes.js';
import { HealthReports } from '../../../src/operations/health/health-reports.js';

const good = async () => undefined;
const bad = async () => Promise.reject(new Error('connect ECONNREFUSED 10.0.0.7:5432'));
const hangs = () => new Promise(() => undefined);

const reports = (probes: HealthProbes) =>
  new HealthReports({ version: '1', probes, workers: async () => Promise.reject(new Error('unused')) });

test('names what is unavailable, without reasons', async () => {
  const probes = new HealthProbes({ database: bad, redis: good, nats: hangs, executor: good }, { timeoutMs: 20 });
  const answer = await reports(probes).ready();
  expect(answer).toMatchObject({
    status: 'not ready',
    checks: {
      server: 'ready',
      database: 'not ready',
      redis: 'ready',
      nats: 'not ready',
      executor: 'ready',
      workers: 'ready',
    },
  });
  expect(JSON.stringify(answer)).not.toContain('10.0.0.7');
});

test('probes once, for any number of callers', async () => {
  let asked = 0;
  const probes = new HealthProbes({ database: async () => void (asked += 1) }, { keptMs: 60_000 });
  await Promise.all([probes.readiness(), probes.readiness()]);
  expect((await probes.readiness()).ready).toBe(true);
  expect(asked).toBe(1);
});

test('probes again if the result is old', async () => {
  let up = false;
  const probes = new HealthProbes({ redis: () => (up ? good() : bad()) }, { keptMs: -1 });
  expect((await probes.readiness()).ready).toBe(false);
  up = true;
  expect((await probes.readiness()).ready).toBe(true);
});
