import { serialize } from 'pg-protocol';

import { callMessage } from '../../../src/platform/postgres/call-message.js';
import { binaryValue } from '../../support/binary-value.js';

const RESULT_FORMATS = Buffer.from([0, 0]);

/** The same three messages as built by pg, except that pg requests the text format with a list of one. */
function asPgWould(statement: string, values: readonly (string | Buffer)[]): Buffer {
  const bind = serialize.bind({ statement, values: [...values] });
  const withoutFormats = Buffer.concat([bind.subarray(0, -4), RESULT_FORMATS]);
  withoutFormats.writeInt32BE(withoutFormats.length - 1, 1);
  return Buffer.concat([withoutFormats, serialize.execute({}), serialize.sync()]);
}

describe('the message of a call', () => {
  it.each<[string, (string | Buffer)[]]>([
    ['no parameter', []],
    ['an empty parameter', ['', Buffer.of()]],
    ['every width of UTF-8', ['aé€😀', '\ud800', '\0']],
    ['text beside bytes', ['1', Buffer.from([0, 255]), '{"a":1}']],
    ['more than fits the scratch', ['€'.repeat(30_000), Buffer.alloc(100_000, 7)]],
    ['many', Array.from({ length: 40_000 }, (_, index) => String(index))],
  ])('equals the one of pg, with %s', (_what, values) => {
    const given = values.map((value) => (typeof value === 'string' ? value : binaryValue(value)));
    expect(callMessage('statement', given).equals(asPgWould('statement', values))).toBe(true);
  });

  it('spells numbers and booleans as Postgres reads them', () => {
    expect(callMessage('s', [41, -1, true, false]).equals(asPgWould('s', ['41', '-1', 'true', 'false']))).toBe(true);
  });
});
