import { readFile } from 'node:fs/promises';

import { logSettings } from '../../support/private-postgres.js';

test('Postgres logs the same natively and in Compose: no statement, no parameter, no row', async () => {
  const compose = await readFile('docker-compose.yml', 'utf8');
  const native = await readFile('infra/dev/lib/services/postgres.sh', 'utf8');
  const settings = await logSettings();
  expect([...compose.matchAll(/-c(log_[a-z_]+=\S+)/g)].map(([, setting]) => setting)).toEqual(settings);
  expect(settings).toEqual(
    expect.arrayContaining([
      'log_min_error_statement=panic',
      'log_error_verbosity=terse',
      'log_parameter_max_length=0',
      'log_parameter_max_length_on_error=0',
    ]),
  );
  expect(native).toContain('infra/postgres/log-settings.conf');
});
