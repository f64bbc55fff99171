import { randomBytes } from 'node:crypto';

import { ApiClient } from '../../support/api-client.js';
import { voidrunner } from '../../support/cli.js';
import { startTestService, type TestService } from '../../support/service.js';

let service: TestService;
beforeAll(async () => {
  service = await startTestService({ VOIDRUNNER_ROLES: 'api,relay,projector' });
});
afterAll(() => service.close());

test('the documented steps replace a master key while tasks are read and created', async () => {
  const ada = await ApiClient.register(() => service.url);
  const task = await ada.createTask({ script_type: 'bash', script_content: 'echo one' });
  const PAYLOAD_MASTER_KEY = randomBytes(32).toString('base64');
  const PAYLOAD_MASTER_KEYS_ACCEPTED = service.config.PAYLOAD_MASTER_KEY;
  const rotation = { ...service.env, PAYLOAD_MASTER_KEY, PAYLOAD_MASTER_KEYS_ACCEPTED };
  const status = async (env: NodeJS.ProcessEnv) => {
    const { code, stdout } = await voidrunner(env, ['keys', 'status']);
    return [code, stdout.split('\n')[0]];
  };
  expect(await status(rotation)).toEqual([
    1,
    '0 data keys are wrapped with PAYLOAD_MASTER_KEY, 0 of them rewrapped now',
  ]);

  await service.stop(service.processes[0]!);
  await service.start({ PAYLOAD_MASTER_KEY, PAYLOAD_MASTER_KEYS_ACCEPTED });
  expect((await ada.request('GET', `/tasks/${task.id}`)).body).toMatchObject({ script_content: 'echo one' });
  const rotated = await voidrunner(rotation, ['keys', 'rotate']);
  expect(rotated).toMatchObject({ code: 0, stderr: '' });
  expect(await status({ ...service.env, PAYLOAD_MASTER_KEY })).toEqual([
    0,
    '1 data keys are wrapped with PAYLOAD_MASTER_KEY, 0 of them rewrapped now',
  ]);
  await service.stop(service.processes[0]!);
  await service.start({ PAYLOAD_MASTER_KEY });
  expect((await ada.request('GET', `/tasks/${task.id}`)).body).toMatchObject({ script_content: 'echo one' });
});
