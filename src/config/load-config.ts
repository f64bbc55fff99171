import { randomBytes } from 'node:crypto';

import { type Role, ROLES } from './setting-types.js';
import { JWT_SECRET_CHARS_MIN, type Settings, settingsSchema } from './settings.js';

export type Config = Readonly<Omit<Settings, 'VOIDRUNNER_ROLES'>> & { readonly VOIDRUNNER_ROLES: readonly Role[] };

/** Good enough to start on a laptop, refused in production. */
const DEVELOPMENT_JWT_SECRET = 'voidrunner-development-secret-not-for-production';
const DEVELOPMENT_MASTER_KEY = Buffer.alloc(32, 'voidrunner').toString('base64');
const DEVELOPMENT_SEALER_KEY = Buffer.alloc(32, 'voidrunner sealer').toString('base64');

/** Every fault of the environment at once, so that one restart is enough. Never echoes a value. */
export class InvalidConfig extends Error {
  constructor(readonly faults: readonly string[]) {
    super(`invalid configuration:\n${faults.map((fault) => `  - ${fault}`).join('\n')}`);
    this.name = 'InvalidConfig';
  }
}

/** The only reader of the environment. A blank variable counts as not set. */
export function loadConfig(env: NodeJS.ProcessEnv = process.env): Config {
  const given = Object.fromEntries(
    Object.entries(env).flatMap(([name, value]) => (value?.trim() ? [[name, value] as const] : [])),
  );
  const parsed = settingsSchema.safeParse(given);
  const issues = parsed.success ? [] : parsed.error.issues;
  const has = (role: Role): boolean =>
    !parsed.success || parsed.data.VOIDRUNNER_ROLES.length === 0 || parsed.data.VOIDRUNNER_ROLES.includes(role);
  const servesApi = has('api');
  const faults = [
    ...issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`),
    ...(parsed.success ? contradictions(parsed.data) : []),
    ...unsafe(given, servesApi),
    ...unsafeSealing(given, has('sealer')),
  ];
  if (!parsed.success || faults.length > 0) throw new InvalidConfig(faults);
  const settings = parsed.data;
  return Object.freeze({
    ...settings,
    // Without the API nobody issues or reads tokens; should anybody by mistake, theirs fit no other process.
    JWT_SECRET_KEY:
      settings.JWT_SECRET_KEY ||
      (servesApi ? DEVELOPMENT_JWT_SECRET : randomBytes(JWT_SECRET_CHARS_MIN).toString('hex')),
    PAYLOAD_MASTER_KEY: settings.PAYLOAD_MASTER_KEY || DEVELOPMENT_MASTER_KEY,
    // In production, a process without the role has no key.
    SEALER_KEY:
      hasSealerKey(given) || settings.SERVER_ENV === 'production' ? settings.SEALER_KEY : [DEVELOPMENT_SEALER_KEY],
    VOIDRUNNER_ROLES:
      settings.VOIDRUNNER_ROLES.length > 0
        ? settings.VOIDRUNNER_ROLES
        : ROLES.filter((role) => role !== 'worker' || settings.EMBEDDED_WORKERS),
  });
}

const SEALER_KEYS = ['SEALER_KEY', 'SEALER_KEY_FILE', 'SEALER_KEY_COMMAND'] as const;

const hasSealerKey = (given: Readonly<Record<string, string>>): boolean => SEALER_KEYS.some((name) => name in given);

function unsafeSealing(given: Readonly<Record<string, string>>, seals: boolean): string[] {
  const set = SEALER_KEYS.filter((name) => name in given);
  if (set.length > 1) return [`${set.join(', ')}: set only one of them`];
  if (given['SERVER_ENV'] !== 'production' || !seals) return [];
  if (set.length === 0) return [`SEALER_KEY: must be set in production, or ${SEALER_KEYS.slice(1).join(' or ')}`];
  return given['SEALER_KEY']?.includes(DEVELOPMENT_SEALER_KEY) ? ['SEALER_KEY: not the one of development'] : [];
}

/** Settings that are lawful each by itself. */
function contradictions({ RETENTION_RUNS: kept, EXTERNAL_REPORT_TIMEOUT: unreported }: Settings): string[] {
  if (kept === 0 || kept >= unreported) return [];
  return [
    'RETENTION_RUNS: must not be shorter than EXTERNAL_REPORT_TIMEOUT: a run would lose its input while it waits',
  ];
}

/** Looks at the text as it was given: what is unsafe is to be told beside what cannot be parsed. */
function unsafe(given: Readonly<Record<string, string>>, servesApi: boolean): string[] {
  const faults: string[] = [];
  const { JWT_SECRET_KEY: secret = '', PAYLOAD_MASTER_KEY: masterKey = '', CORS_ALLOWED_ORIGINS: origins = '' } = given;
  const { JWT_SECRET_KEYS_ACCEPTED: accepted = '' } = given;
  if (secret !== '' && secret.length < JWT_SECRET_CHARS_MIN) {
    faults.push(`JWT_SECRET_KEY: must have at least ${JWT_SECRET_CHARS_MIN} characters`);
  }
  if (secret.includes(',')) {
    faults.push('JWT_SECRET_KEY: must not contain a comma, which separates the keys of JWT_SECRET_KEYS_ACCEPTED');
  }
  if (origins.split(',').some((origin) => origin.trim() === '*')) {
    faults.push('CORS_ALLOWED_ORIGINS: "*" is not allowed, since credentials are');
  }
  if (given['SERVER_ENV'] !== 'production') return faults;
  if (secret === DEVELOPMENT_JWT_SECRET || (secret === '' && servesApi))
    faults.push('JWT_SECRET_KEY: must be set in production');
  // It is public: anybody who has the source could sign with it.
  if (accepted.includes(DEVELOPMENT_JWT_SECRET)) faults.push('JWT_SECRET_KEYS_ACCEPTED: not the one of development');
  if (masterKey === '' || masterKey === DEVELOPMENT_MASTER_KEY) {
    faults.push('PAYLOAD_MASTER_KEY: must be set in production');
  }
  if ((given['DB_PASSWORD'] ?? '') === '') faults.push('DB_PASSWORD: must be set in production');
  return faults;
}
