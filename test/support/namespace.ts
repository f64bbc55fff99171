import { randomBytes } from 'node:crypto';

/** `make test` tells its own containers by it, on an engine that others use as well (infra/dev/test.sh). */
const RUN = process.env['VOIDRUNNER_TEST_NAMESPACE'] ?? 'test';

/** Of keys and containers: a test's own, so that no sweep of a neighbour touches what is its, nor it theirs. */
export const testNamespace = (): string => `${RUN}-${randomBytes(6).toString('hex')}`;
