import { InvalidConfig, loadConfig } from '../../../src/config/load-config.js';
import { SECRET_SETTINGS, settingsSchema } from '../../../src/config/settings.js';

const KEY = Buffer.alloc(32, 7).toString('base64');
/** The settings that production requires. */
const PRODUCTION = {
  SERVER_ENV: 'production',
  JWT_SECRET_KEY: 'a secret of at least thirty-two characters',
  PAYLOAD_MASTER_KEY: KEY,
  DB_PASSWORD: 'a password',
  SEALER_KEY: [KEY],
};
const PRODUCTION_ENV = { ...PRODUCTION, SEALER_KEY: KEY };

function faultsOf(env: NodeJS.ProcessEnv): readonly string[] {
  try {
    loadConfig(env);
    return [];
  } catch (error) {
    if (!(error instanceof InvalidConfig)) throw error;
    return error.faults;
  }
}
const settingOf = (fault: string): string => fault.slice(0, fault.indexOf(':')).split('.')[0]!;

describe('defaults', () => {
  test('are enough to start on a laptop', () => {
    expect(loadConfig({})).toMatchObject({
      SERVER_HOST: '127.0.0.1',
      SERVER_PORT: 8080,
      SERVER_ENV: 'development',
      DB_PORT: 5432,
      QUEUE_LEASE_DURATION: 15_000,
      WORKER_MAX_USER_CONCURRENT_TASKS: 3,
      RATE_LIMIT_ENABLED: true,
      CORS_ALLOWED_ORIGINS: [],
    });
  });

  test('put every role in one process', () => {
    expect(loadConfig({}).VOIDRUNNER_ROLES).toEqual([
      'api',
      'relay',
      'projector',
      'orchestrator',
      'webhooks',
      'sealer',
      'worker',
    ]);
  });

  test('include secrets for development', () => {
    const config = loadConfig({});
    expect(config.JWT_SECRET_KEY.length).toBeGreaterThanOrEqual(32);
    expect(Buffer.from(config.PAYLOAD_MASTER_KEY, 'base64')).toHaveLength(32);
  });

  test('apply to empty variables', () => {
    const empty = Object.fromEntries(Object.keys(settingsSchema.shape).map((name) => [name, '']));
    expect(loadConfig(empty)).toEqual(loadConfig({}));
    const blank = Object.fromEntries(Object.keys(settingsSchema.shape).map((name) => [name, '  ']));
    expect(loadConfig(blank)).toEqual(loadConfig({}));
  });

  test('are read-only', () => {
    expect(Object.isFrozen(loadConfig({}))).toBe(true);
  });

  test('exist and are described for every setting', () => {
    expect(settingsSchema.safeParse({}).success).toBe(true);
  });
});

describe('roles', () => {
  test('exclude the worker if workers are not embedded', () => {
    const { VOIDRUNNER_ROLES } = loadConfig({ EMBEDDED_WORKERS: 'false' });
    expect(VOIDRUNNER_ROLES).toEqual(['api', 'relay', 'projector', 'orchestrator', 'webhooks', 'sealer']);
  });

  test('that are named are used, including the worker', () => {
    const config = loadConfig({ VOIDRUNNER_ROLES: ' worker , api,', EMBEDDED_WORKERS: 'false' });
    expect(config.VOIDRUNNER_ROLES).toEqual(['worker', 'api']);
  });

  test('that do not exist are a fault', () => {
    expect(faultsOf({ VOIDRUNNER_ROLES: 'api,janitor' }).map(settingOf)).toEqual(['VOIDRUNNER_ROLES']);
  });
});

describe('durations', () => {
  test.each([
    ['250ms', 250],
    ['15s', 15_000],
    ['10m', 600_000],
    ['24h', 86_400_000],
    ['30d', 2_592_000_000],
    ['30', 30_000],
    [' 5s ', 5_000],
  ])('%j is %d ms', (text, ms) => {
    expect(loadConfig({ QUEUE_LEASE_DURATION: text }).QUEUE_LEASE_DURATION).toBe(ms);
  });

  test.each(['0', '0ms', '-5s', '1.5s', '5 s', '5w', 's', 'soon', '9999999h', '9'.repeat(400)])(
    '%j is invalid',
    (text) => {
      expect(faultsOf({ QUEUE_LEASE_DURATION: text }).map(settingOf)).toEqual(['QUEUE_LEASE_DURATION']);
    },
  );
});

describe('retentions', () => {
  test.each([
    ['0', 0],
    ['1s', 1_000],
    ['90d', 7_776_000_000],
  ])('%j is %d ms', (text, ms) => {
    const { RETENTION_RUNS } = loadConfig({ RETENTION_RUNS: text, EXTERNAL_REPORT_TIMEOUT: '1s' });
    expect(RETENTION_RUNS).toBe(ms);
  });

  test('keep inputs longer than the wait for a report', () => {
    const [day, week] = ['1d', '7d'];
    expect(faultsOf({ RETENTION_RUNS: day, EXTERNAL_REPORT_TIMEOUT: week }).map(settingOf)).toEqual(['RETENTION_RUNS']);
    expect(loadConfig({ RETENTION_RUNS: week, EXTERNAL_REPORT_TIMEOUT: week }).RETENTION_RUNS).toBe(7 * 86_400_000);
    expect(loadConfig({ RETENTION_RUNS: '0', EXTERNAL_REPORT_TIMEOUT: week }).RETENTION_RUNS).toBe(0);
  });

  test.each(['0s', '-1d', '367d', 'never'])('%j is invalid', (text) => {
    expect(faultsOf({ RETENTION_RUNS: text }).map(settingOf)).toEqual(['RETENTION_RUNS']);
  });
});

describe('values', () => {
  test.each([
    ['SERVER_PORT', '65536'],
    ['SERVER_PORT', '-1'],
    ['SERVER_PORT', '80.5'],
    ['SERVER_PORT', '0x50'],
    ['SERVER_PORT', '1e3'],
    ['SERVER_ENV', 'prod'],
    ['EMBEDDED_WORKERS', 'yes'],
    ['EXECUTOR_CPUS_MAX', '1e1'],
    ['EXECUTOR_CPUS_MAX', '0'],
    ['PAYLOAD_MASTER_KEY', Buffer.alloc(16).toString('base64')],
    ['QUEUE_NAMESPACE', 'Has Capitals'],
    ['NATS_STREAM_PREFIX', 'lower'],
    ['DOCKER_ENDPOINT', '/var/run/docker.sock'],
    ['LOG_LEVEL', 'loud'],
    ['DB_SSL_MODE', 'maybe'],
  ])('%s cannot be %j', (name, value) => {
    expect(faultsOf({ [name]: value }).map(settingOf)).toEqual([name]);
  });

  test.each([
    ['true', true],
    ['1', true],
    ['false', false],
    ['0', false],
  ])('%j is a boolean', (text, value) => {
    expect(loadConfig({ RATE_LIMIT_ENABLED: text }).RATE_LIMIT_ENABLED).toBe(value);
  });

  test.each([
    ['', []],
    ['false', []],
    ['loopback, 10.0.0.0/8,2001:db8::1', ['loopback', '10.0.0.0/8', '2001:db8::1']],
  ])('%j is a list of proxy networks', (text, value) => {
    expect(loadConfig({ SERVER_TRUST_PROXY: text }).SERVER_TRUST_PROXY).toEqual(value);
  });

  test.each(['true', '1', '10.0.0.0/0', '10.0.0.0/33', '10.0.0', 'proxy.example', '::1/129', '10.0.0.0/8/8'])(
    '%j is an invalid list of proxy networks',
    (text) => expect(faultsOf({ SERVER_TRUST_PROXY: text }).map(settingOf)).toEqual(['SERVER_TRUST_PROXY']),
  );

  test('of lists are separated by commas', () => {
    const config = loadConfig({ CORS_ALLOWED_ORIGINS: 'https://a.example, https://b.example ,' });
    expect(config.CORS_ALLOWED_ORIGINS).toEqual(['https://a.example', 'https://b.example']);
  });
});

describe('faults', () => {
  const WRONG = {
    ...PRODUCTION_ENV,
    JWT_SECRET_KEY: 'hunter2',
    SERVER_PORT: 'hunter2',
    DB_PORT: 'hunter2',
    LOG_LEVEL: 'hunter2',
  };

  test('are listed all at once', () => {
    const faults = faultsOf({ ...WRONG, PAYLOAD_MASTER_KEY: '', CORS_ALLOWED_ORIGINS: 'https://hunter2.example,*' });
    expect(faults.map(settingOf).sort()).toEqual(
      ['CORS_ALLOWED_ORIGINS', 'DB_PORT', 'JWT_SECRET_KEY', 'LOG_LEVEL', 'PAYLOAD_MASTER_KEY', 'SERVER_PORT'].sort(),
    );
  });

  test('do not echo the given value', () => {
    for (const name of Object.keys(settingsSchema.shape)) {
      expect(faultsOf({ ...WRONG, [name]: 'hunter2' }).join('\n')).not.toContain('hunter2');
    }
  });

  test('are reported in one message', () => {
    expect(() => loadConfig({ SERVER_PORT: 'x', DB_PORT: 'y' })).toThrow(
      'invalid configuration:\n  - SERVER_PORT: must be a whole number\n  - DB_PORT: must be a whole number',
    );
  });
});

describe('production', () => {
  test('starts with the required settings', () => {
    expect(loadConfig(PRODUCTION_ENV)).toMatchObject(PRODUCTION);
  });

  test.each(['JWT_SECRET_KEY', 'PAYLOAD_MASTER_KEY', 'DB_PASSWORD'])('refuses to start without %s', (name) => {
    expect(faultsOf({ ...PRODUCTION_ENV, [name]: '' })).toEqual([`${name}: must be set in production`]);
  });

  test('a process without the API needs no token secret, and its random one fits no other process', () => {
    const withoutApi = { ...PRODUCTION_ENV, VOIDRUNNER_ROLES: 'worker,relay', JWT_SECRET_KEY: '' };
    const [one, other] = [loadConfig(withoutApi), loadConfig(withoutApi)];
    expect(one.JWT_SECRET_KEY.length).toBeGreaterThanOrEqual(32);
    expect(one.JWT_SECRET_KEY).not.toBe(other.JWT_SECRET_KEY);
    expect(faultsOf({ ...withoutApi, VOIDRUNNER_ROLES: 'worker,api' })).toHaveLength(1);
    expect(faultsOf({ ...withoutApi, JWT_SECRET_KEY: loadConfig({}).JWT_SECRET_KEY })).toHaveLength(1);
  });

  test.each(['JWT_SECRET_KEY', 'PAYLOAD_MASTER_KEY'] as const)('refuses the %s of development', (name) => {
    const development = loadConfig({})[name];
    expect(faultsOf({ ...PRODUCTION_ENV, [name]: development })).toEqual([`${name}: must be set in production`]);
  });

  test('a process that seals needs a key of its own; any other one has none', () => {
    const { SEALER_KEY: _, ...keyless } = PRODUCTION_ENV;
    expect(faultsOf(keyless)).toEqual([
      'SEALER_KEY: must be set in production, or SEALER_KEY_FILE or SEALER_KEY_COMMAND',
    ]);
    const [development] = loadConfig({}).SEALER_KEY;
    expect(faultsOf({ ...keyless, SEALER_KEY: development })).toEqual(['SEALER_KEY: not the one of development']);
    expect(loadConfig({ ...keyless, VOIDRUNNER_ROLES: 'api,worker' }).SEALER_KEY).toEqual([]);
    for (const name of ['SEALER_KEY_FILE', 'SEALER_KEY_COMMAND']) {
      expect(loadConfig({ ...keyless, [name]: 'anything' })).toMatchObject({ SEALER_KEY: [], [name]: 'anything' });
    }
  });
});

describe('in every environment', () => {
  test('the sealer’s key has one source', () => {
    const both = { SEALER_KEY: KEY, SEALER_KEY_FILE: '/run/secrets/sealer' };
    expect(faultsOf(both)).toEqual(['SEALER_KEY, SEALER_KEY_FILE: set only one of them']);
  });

  test.each([
    ['SEALER_KEY', 'short', /32 bytes in base64/],
    ['SEALER_LOG_NAME', 'a log', /without blanks/],
    ['SEALER_PUBLIC_KEYS', 'localhost/log', /public keys/],
  ])('a malformed %s is refused', (name, value, fault) => {
    expect(faultsOf({ [name]: value })).toEqual([expect.stringMatching(fault)]);
  });

  test('a short JWT secret is refused', () => {
    expect(faultsOf({ JWT_SECRET_KEY: 'short' })).toEqual(['JWT_SECRET_KEY: must have at least 32 characters']);
    expect(faultsOf({ JWT_SECRET_KEY: `${'x'.repeat(40)},` }).map(settingOf)).toEqual(['JWT_SECRET_KEY']);
  });

  test('the origin * is refused', () => {
    expect(faultsOf({ CORS_ALLOWED_ORIGINS: 'https://a.example,*' }).map(settingOf)).toEqual(['CORS_ALLOWED_ORIGINS']);
  });

  test('every secret setting exists', () => {
    const names = Object.keys(settingsSchema.shape);
    expect(SECRET_SETTINGS.filter((name) => !names.includes(name))).toEqual([]);
    const looksSecret = names.filter((name) => /PASSWORD|SECRET|MASTER_KEY|SEALER_KEY(?!_FILE)/.test(name));
    expect([...SECRET_SETTINGS].sort()).toEqual(looksSecret.sort());
  });
});
