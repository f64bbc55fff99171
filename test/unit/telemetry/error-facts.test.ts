import { Writable } from 'node:stream';

import { pino } from 'pino';

import { Unavailable } from '../../../src/kernel/errors.js';
import { errorFacts } from '../../../src/platform/telemetry/error-facts.js';
import { createLog } from '../../../src/platform/telemetry/log.js';

const SECRET = 'hunter2@example.com';

const postgresError = Object.assign(new Error(`invalid input syntax for type uuid: "${SECRET}"`), {
  code: '22P02',
  detail: `Key (email)=(${SECRET}) already exists.`,
  where: `unnamed portal parameter $1 = '${SECRET}'`,
  internalQuery: `select '${SECRET}'`,
});
const redisError = Object.assign(new Error(`ERR unknown command, with args beginning with: '${SECRET}'`), {
  name: 'ReplyError',
  command: { name: 'set', args: [SECRET] },
});

function parseError(): Error {
  try {
    JSON.parse(SECRET);
  } catch (error) {
    return error as Error;
  }
  throw new Error('it parses');
}

describe('an error in the log', () => {
  test.each([
    ['of Postgres', postgresError],
    ['of Redis', redisError],
    ['of JSON.parse', parseError()],
    ['with a cause', new Unavailable('postgres', 'Postgres does not respond', { cause: postgresError })],
    ['with properties', Object.assign(new Error('failed'), { body: SECRET })],
    ['that is not an Error', SECRET],
    ['whose message looks like a stack', Object.assign(new SyntaxError(`${SECRET}\n    at /${SECRET}:1:1`), {})],
  ])('%s reveals no values', (_of, error) => {
    expect(JSON.stringify(errorFacts(error))).not.toContain(SECRET);
  });

  test('keeps the facts that an operator needs', () => {
    const facts = errorFacts(new Unavailable('postgres', 'Postgres does not respond', { cause: postgresError }));
    expect(facts).toMatchObject({
      type: 'Unavailable',
      message: 'Postgres does not respond',
      cause: { type: 'Error', code: '22P02' },
    });
    expect(facts.stack).toContain('error-facts.test');
    expect(facts.cause?.stack).toContain('error-facts.test');
    const refused = Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:1'), { code: 'ECONNREFUSED' });
    expect(errorFacts(refused)).toMatchObject({ message: refused.message, code: 'ECONNREFUSED' });
  });

  test('is reduced in the same way by the service’s log', () => {
    expect(createLog({ level: 'info', service: 'test' })[pino.symbols.serializersSym as never]).toMatchObject({
      err: errorFacts,
    });
    const lines: string[] = [];
    const sink = new Writable({ write: (chunk: Buffer, _, done) => (lines.push(chunk.toString()), done()) });
    pino({ serializers: { err: errorFacts } }, sink).error({ err: postgresError }, 'failed');
    expect(lines.join('')).toContain('"code":"22P02"');
    expect(lines.join('')).not.toContain(SECRET);
  });

  test('with itself as its cause has a finite description', () => {
    const error = new Error('round');
    error.cause = error;
    expect(JSON.stringify(errorFacts(error)).match(/"round"/g)).toHaveLength(5);
  });
});
