import { isIP } from 'node:net';

import { z } from 'zod';

export const ROLES = ['api', 'relay', 'projector', 'orchestrator', 'webhooks', 'sealer', 'worker'] as const;
export type Role = (typeof ROLES)[number];

export const FACADES = ['piston', 'judge0'] as const;
export type Facade = (typeof FACADES)[number];

/** The raw value of every setting. An empty text means "not set". */
const text = z.string().trim();

export const integer = (min: number, max: number) =>
  text
    .regex(/^-?\d+$/, 'must be a whole number')
    .transform(Number)
    .pipe(z.int().min(min).max(max));

export const number = (min: number, max: number) =>
  text
    .regex(/^-?\d+(\.\d+)?$/, 'must be a number')
    .transform(Number)
    .pipe(z.number().min(min).max(max));

export const boolean = text
  .pipe(z.enum(['true', 'false', '1', '0']))
  .transform((value) => value === 'true' || value === '1');

export const optionalText = text.optional();

const UNIT_MS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const DURATION_MS_MAX = 366 * UNIT_MS.d;

/** `250ms`, `15s`, `10m`, `24h`, `30d`; a bare number means seconds, as in the original service. */
export const durationMs = text
  .regex(/^\d+(ms|s|m|h|d)?$/, 'must be a duration such as 250ms, 15s, 10m, 24h, 30d')
  .transform((value) => {
    const unit = /[a-z]+$/.exec(value)?.[0] as keyof typeof UNIT_MS | undefined;
    return Number.parseInt(value, 10) * UNIT_MS[unit ?? 's'];
  })
  .pipe(z.int().min(1).max(DURATION_MS_MAX))
  // The unit is printed after a default, because a bare number would mean seconds.
  .meta({ unit: 'ms' });

/** Like durationMs; `0` means forever. */
export const retention = text
  .transform((value, context) => {
    if (value === '0') return 0;
    const parsed = durationMs.safeParse(value);
    if (parsed.success) return parsed.data;
    context.addIssue({ code: 'custom', message: parsed.error.issues[0]!.message });
    return z.NEVER;
  })
  .meta({ unit: 'ms' });

export const list = text.default('').transform((value) =>
  value
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== ''),
);

const NETWORK_NAMES = ['loopback', 'linklocal', 'uniquelocal'];
const PREFIX_MAX: Readonly<Record<number, number>> = { 4: 32, 6: 128 };

function isNetwork(value: string): boolean {
  if (NETWORK_NAMES.includes(value)) return true;
  const [address = '', prefix = '1', ...more] = value.split('/');
  const prefixMax = PREFIX_MAX[isIP(address)];
  return prefixMax !== undefined && more.length === 0 && /^[1-9]\d*$/.test(prefix) && Number(prefix) <= prefixMax;
}

/** Addresses and networks in CIDR notation, or proxy-addr's names for networks; `false`: none. */
export const networks = list
  .transform((values) => values.filter((value) => value !== 'false'))
  .pipe(z.array(z.string().refine(isNetwork, `must be networks such as 10.0.0.0/8 or ${NETWORK_NAMES.join(', ')}`)));

/** Each accepted secret is tried in turn, so their number is limited. */
const ACCEPTED_MAX = 8;

const isBase64Of = (bytes: number, value: string): boolean => Buffer.from(value, 'base64').length === bytes;

/** May be empty: only the composition root knows whether the secret is needed. */
export const secretBase64 = (bytes: number) =>
  text.default('').refine((value) => value === '' || isBase64Of(bytes, value), `must be ${bytes} bytes in base64`);

/** Like secretBase64, but several values, comma-separated. */
export const secretsBase64 = (bytes: number) =>
  list.pipe(
    z
      .array(z.string().refine((value) => isBase64Of(bytes, value), `must be ${bytes} bytes in base64`))
      .max(ACCEPTED_MAX),
  );

/** Several texts of at least `chars` characters each, comma-separated. */
export const secrets = (chars: number) =>
  list.pipe(z.array(z.string().min(chars, `must have at least ${chars} characters`)).max(ACCEPTED_MAX));

/** Of signed notes: `<name>+<hash>+<base64>`. */
const PUBLIC_KEY = /^[^\s+]+\+[0-9a-f]{8}\+[A-Za-z0-9+/]+=*$/;

export const publicKeys = list.pipe(
  z.array(z.string().regex(PUBLIC_KEY, 'must be public keys as `voidrunner seal keys` prints them')).max(ACCEPTED_MAX),
);

export const roles = list.pipe(z.array(z.enum(ROLES)));

export const facades = list.pipe(z.array(z.enum(FACADES)));
