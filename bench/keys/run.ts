import { ApiClient, call } from '../../test/support/api-client.js';
import build from '../../test/support/build.js';
import { startChildService } from '../../test/support/child-service.js';
import { prepareTestService } from '../../test/support/service.js';
import { median, timed } from '../figures.js';

/** By how much is a request with an API key slower than one with an access token? They alternate. */
const REQUESTS = 4_000;
const ADDED_MS_MAX = 0.1;

await build();
const installation = await prepareTestService({});
const service = await startChildService({ ...installation.env, VOIDRUNNER_ROLES: 'api,relay,projector' });
try {
  const ada = await ApiClient.register(() => service.url!);
  const task = await ada.createTask({ script_type: 'bash', script_content: 'true' });
  const { key } = await ada.ok<{ key: string }>('POST', '/keys', { name: 'bench', scopes: ['tasks:read'] });
  const read = async (credential: string): Promise<number> =>
    timed(() =>
      call(`${service.url}/api/v1/tasks/${task.id}`, 'GET', undefined, { authorization: `Bearer ${credential}` }),
    );
  const times = { token: [] as number[], key: [] as number[] };
  for (let count = 0; count < REQUESTS; count += 1) {
    times.token.push(await read(ada.accessToken));
    times.key.push(await read(key));
  }
  const [token, withKey] = [median(times.token), median(times.key)];
  const isMet = withKey - token <= ADDED_MS_MAX;
  console.log(`p50 of GET /tasks/{id}: ${token.toFixed(3)} ms with a token, ${withKey.toFixed(3)} ms with a key`);
  console.log(
    `a key adds ${(withKey - token).toFixed(3)} ms (target: at most ${ADDED_MS_MAX}, ${isMet ? 'met' : 'MISSED'})`,
  );
  process.exitCode = isMet ? 0 : 1;
} finally {
  await service.end();
  await installation.close();
}
