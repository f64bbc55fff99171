import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { freePort } from '../../support/free-port.js';
import { PersonAtShell } from '../../support/person-at-shell.js';
import { startTestService, type TestService } from '../../support/service.js';

let service: TestService;
let ada: PersonAtShell;
/** Nothing in the environment says where the server is. */
const BARE = { VOIDRUNNER_URL: '', VOIDRUNNER_API_KEY: '' };
const PASSWORD = 'correct horse battery\n';

beforeAll(async () => {
  service = await startTestService({ VOIDRUNNER_ROLES: 'api,relay,projector' });
});
beforeEach(async () => {
  ada = await PersonAtShell.create(service.url);
});
afterEach(() => ada.leave());
afterAll(() => service.close());

const bare = (args: readonly string[], stdin = '') => ada.run(args, stdin, BARE);
const login = () => bare(['login', '--server', service.url, '--email', ada.account.user.email], PASSWORD);
const config = () => join(ada.home, '.config/voidrunner/config.json');
const keys = async () => (await ada.account.ok<{ keys: { id: string; name: string }[] }>('GET', '/keys')).keys;

test('login makes a key and stores it for this user only; logout forgets it', async () => {
  const before = await bare(['tasks', 'list']);
  expect(before).toMatchObject({ code: 2, stderr: expect.stringContaining('run "voidrunner login') });

  expect(await login()).toMatchObject({ code: 0, stdout: '', stderr: `voidrunner: logged in at ${service.url}\n` });
  expect((await stat(config())).mode & 0o777).toBe(0o600);
  expect((await stat(join(config(), '..'))).mode & 0o777).toBe(0o700);
  const { key, name } = await stored();
  expect(await keys()).toContainEqual(expect.objectContaining({ name }));
  expect(await bare(['tasks', 'list', '--json'])).toMatchObject({ code: 0, stdout: '', stderr: '' });

  const listed = await bare(['config', 'list']);
  expect(listed.stdout).toContain(`logged in: ${service.url} as ${ada.account.user.email}`);
  for (const args of [
    ['config', 'list', '--json'],
    ['config', 'get', 'server'],
    ['config', 'path'],
  ]) {
    const { code, stdout, stderr } = await bare(args);
    expect({ args, code }).toEqual({ args, code: 0 });
    expect(stdout + stderr + listed.stdout).not.toContain(key);
  }

  // The key before is revoked: there is one of this computer.
  await login();
  expect((await keys()).filter((each) => each.name === name)).toHaveLength(1);

  expect(await bare(['logout', '--revoke'], PASSWORD)).toMatchObject({ code: 0, stdout: '' });
  expect((await keys()).filter((each) => each.name === name)).toEqual([]);
  expect(await bare(['tasks', 'list'])).toMatchObject({ code: 2 });
  expect(await readFile(config(), 'utf8')).not.toContain('vr_');
});

test('login stores a key from standard input, and makes one with an access token', async () => {
  expect(await bare(['login', '--server', service.url, '--key', '-'], `${ada.key}\n`)).toMatchObject({ code: 0 });
  expect((await stored()).key).toBe(ada.key);
  const byToken = await bare(['login', '--server', service.url, '--token', '-'], `${ada.account.accessToken}\n`);
  expect(byToken).toMatchObject({ code: 0 });
  expect((await stored()).key).not.toBe(ada.key);
  expect(await bare(['executions', 'list'])).toMatchObject({ code: 0 });
});

test.each([
  [['--key', '-'], 'hunter2', 'this is no API key'],
  [['--key', '-'], `vr_${'x'.repeat(49)}`, 'refuses this API key'],
  [['--token', '-'], 'hunter2', 'run "voidrunner login"'],
  [['--email', 'nobody@example.com'], 'wrong password', 'Invalid email or password'],
  [['--email', 'nobody@example.com'], '', 'standard input has ended'],
])('login %j refuses what the server does not accept, and does not repeat it', async (args, secret, says) => {
  const { code, stdout, stderr } = await bare(['login', '--server', service.url, ...args], secret);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toContain(says);
  expect(stderr.trim().split('\n')).toHaveLength(1);
  if (secret !== '') expect(stderr).not.toContain(secret);
  await expect(stat(config())).rejects.toMatchObject({ code: 'ENOENT' });
});

test('the environment takes precedence, and XDG_CONFIG_HOME says where the file is', async () => {
  const nobody = `http://127.0.0.1:${await freePort()}`;
  const XDG_CONFIG_HOME = join(ada.home, 'xdg');
  const run = (args: readonly string[], more: NodeJS.ProcessEnv = {}) =>
    ada.run(args, '', { ...BARE, XDG_CONFIG_HOME, ...more });
  expect((await run(['config', 'path'])).stdout).toBe(`${XDG_CONFIG_HOME}/voidrunner/config.json\n`);
  expect(await run(['config', 'get', 'server'])).toMatchObject({ code: 1, stdout: '' });
  expect(await run(['config', 'set', 'server', `${nobody}/api/v1/`])).toMatchObject({ code: 0 });
  expect((await run(['config', 'get', 'server'])).stdout).toBe(`${nobody}\n`);
  expect(await run(['config', 'set', 'server', 'ftp://x'])).toMatchObject({ code: 2 });
  const down = await run(['runtimes']);
  expect(down).toMatchObject({ code: 2, stdout: '' });
  expect(down.stderr).toMatch(/^voidrunner: cannot reach http:\/\/127\.0\.0\.1:\d+ \(ECONNREFUSED\): .*\n$/);
  expect(await run(['runtimes', '--json'], { VOIDRUNNER_URL: service.url })).toMatchObject({ code: 0 });
  expect(await run(['runtimes', '--server', service.url])).toMatchObject({ code: 0 });
});

test('a damaged file, and one that others can read, are told of without their contents', async () => {
  await login();
  const { key } = await stored();
  await writeFile(config(), `{"servers": {"x": ${key}`);
  const damaged = await bare(['tasks', 'list']);
  expect(damaged).toMatchObject({ code: 2, stderr: expect.stringContaining('cannot read') });
  expect(damaged.stderr).not.toContain(key.slice(3));
  await writeFile(config(), '{"servers": []}');
  expect(await bare(['tasks', 'list'])).toMatchObject({ code: 2, stderr: expect.stringContaining('cannot read') });
  await ada.shell(`echo '{"servers":{}}' > '${config()}'; chmod 644 '${config()}'`);
  expect((await bare(['config', 'list'])).stderr).toContain('chmod 600');
});

test('API keys: made with a password, printed once, revoked', async () => {
  const account = ['--email', ada.account.user.email];
  const made = await ada.run(
    ['api-keys', 'create', 'ci', '--scope', 'tasks:read', '--days', '3', ...account],
    PASSWORD,
  );
  expect(made).toMatchObject({ code: 0, stderr: '', stdout: expect.stringMatching(/^vr_\w{49}\n$/) });
  const { id } = (await keys()).find(({ name }) => name === 'ci')!;
  const listed = await ada.run(['api-keys', 'list', '--json', ...account], PASSWORD);
  expect(listed.stdout).toContain(id);
  expect(listed.stdout).not.toContain(made.stdout.trim());

  // The scope that is missing is named.
  const VOIDRUNNER_API_KEY = made.stdout.trim();
  await ada.file('x.sh', 'true');
  const refused = await ada.run(['run', 'x.sh'], '', { VOIDRUNNER_API_KEY });
  expect(refused).toMatchObject({ code: 125, stderr: expect.stringContaining('lacks the scope executions:write') });
  expect(await ada.run(['api-keys', 'revoke', id, ...account], PASSWORD)).toMatchObject({ code: 0, stdout: '' });
  const revoked = await ada.run(['tasks', 'list'], '', { VOIDRUNNER_API_KEY });
  expect(revoked).toMatchObject({ code: 2, stderr: expect.stringContaining('refuses the API key') });
  expect(revoked.stderr).not.toContain(VOIDRUNNER_API_KEY);
});

async function stored(): Promise<{ key: string; name: string }> {
  const { servers } = JSON.parse(await readFile(config(), 'utf8')) as { servers: Record<string, { api_key: string }> };
  const { hostname } = await import('node:os');
  return { key: servers[service.url]!.api_key, name: `voidrunner on ${hostname()}` };
}
