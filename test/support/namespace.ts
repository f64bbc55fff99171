import { randomBytes } from 'node:crypto';

/** `make test` identifies its own containers by it, on an engine that others use too (infra/dev/lib/test-all.sh). */
const RUN = process.env['VOIDRUNNER_TEST_NAMESPACE'] ?? 'test';

/** A test's own namespace for keys and containers, so that sweeps of parallel tests do not touch each other's. */
export const testNamespace = (): string => `${RUN}-${randomBytes(6).toString('hex')}`;
