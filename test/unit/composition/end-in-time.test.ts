import { endInTime } from '../../../src/composition/end-in-time.js';
import { silentLog } from '../../../src/platform/telemetry/log.js';

describe('a part of the service that closes', () => {
  const errors: unknown[] = [];
  const log = { ...silentLog, error: (fields: unknown) => void errors.push(fields) } as typeof silentLog;
  beforeEach(() => errors.splice(0));

  it('is waited for', async () => {
    let closed = false;
    await endInTime(
      log,
      'http',
      new Promise<void>((resolve) => setImmediate(resolve)).then(() => void (closed = true)),
    );
    expect([closed, errors]).toEqual([true, []]);
  });

  it('is not waited for forever, and its failure is logged', async () => {
    await endInTime(log, 'http', new Promise(() => undefined), 1);
    await endInTime(log, 'operators', Promise.reject(new Error('broken')));
    await endInTime(log, 'infrastructure', undefined);
    expect(errors).toEqual([
      { part: 'http', err: new Error('http did not close within 1 ms') },
      { part: 'operators', err: new Error('broken') },
    ]);
  });
});
