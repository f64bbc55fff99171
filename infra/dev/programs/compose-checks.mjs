// Checks the running stack: only the proxy mounts the Docker socket, the API's container cannot reach it, and the
// worker can do only what the proxy's list allows. Beside each refusal, something must work, so that a stack in which
// nothing answers does not pass.
import { execFile } from 'node:child_process';
import { strict as assert } from 'node:assert';
import { promisify } from 'node:util';

const run = promisify(execFile);
const { DOCKER_ENDPOINT, VOIDRUNNER_INSTANCE, JAEGER_PORT } = process.env;
const project = `voidrunner-${VOIDRUNNER_INSTANCE}`;
const spans_wait_ms_max = 30_000;
const poll_ms = 200;

const docker = async (...args) => (await run('docker', ['--host', DOCKER_ENDPOINT, ...args])).stdout;
const idsOf = async (filter) =>
  (await docker('ps', '--all', '--quiet', '--no-trunc', '--filter', filter)).split('\n').filter(Boolean);
const passed = (what) => console.log(`    ${what}`);

/** The project's containers by the name of their service. */
async function containers() {
  const found = JSON.parse(await docker('inspect', ...(await idsOf(`label=com.docker.compose.project=${project}`))));
  return new Map(found.map((each) => [each.Config.Labels['com.docker.compose.service'], each]));
}

/** The value of `expression`, evaluated inside a container of ours. */
async function inside(container, expression) {
  const script = `const value = await (${expression}); console.log(JSON.stringify(value))`;
  return JSON.parse(await docker('exec', container.Id, 'node', '--input-type=module', '--eval', script));
}

/** The proxy's response to a container of ours: a status, or the code of the error. */
const ask = (container, method, path, { host = 'docker-proxy', body } = {}) =>
  inside(
    container,
    `fetch('http://${host}:2375${path}', {
      method: '${method}', signal: AbortSignal.timeout(3000),
      ${body ? `headers: { 'content-type': 'application/json' }, body: ${JSON.stringify(JSON.stringify(body))},` : ''}
    }).then(({ status }) => status, (error) => error.cause?.code ?? error.name)`,
  );

async function checkMounts(services) {
  const isSocket = ({ Source, Destination }) => /docker\.sock/.test(`${Source} ${Destination}`);
  const names = [...services].filter(([, { Mounts }]) => Mounts.some(isSocket)).map(([name]) => name);
  assert.deepEqual(names, ['docker-proxy']);
  passed('only docker-proxy mounts the socket');
}

async function checkNetworks(services) {
  const onEngine = [...services].filter(([, each]) => `${project}_engine` in each.NetworkSettings.Networks);
  assert.deepEqual(onEngine.map(([name]) => name).sort(), ['docker-proxy', 'worker']);
  const [network] = JSON.parse(await docker('network', 'inspect', `${project}_engine`));
  assert.equal(network.Internal, true);
  passed('the network `engine` is internal, and only docker-proxy and worker are on it');
}

const NOT_FOR = { app: ['DB_OWNER_PASSWORD'], worker: ['DB_OWNER_PASSWORD', 'JWT_SECRET_KEY', 'SEALER_KEY'] };

function checkSecrets(services) {
  for (const [name, secrets] of Object.entries(NOT_FOR)) {
    const given = services.get(name).Config.Env.map((variable) => variable.split('=')[0]);
    assert.ok(given.includes('PAYLOAD_MASTER_KEY'), name);
    for (const secret of secrets) assert.ok(!given.includes(secret), `${name} has ${secret}`);
  }
  passed('app and worker do not have the owner’s password; worker has neither the token secret nor the sealer’s key');
}

async function checkHardening(services) {
  for (const name of ['app', 'worker']) {
    const { Config, HostConfig } = services.get(name);
    assert.equal(Config.User, '10001:10001', name);
    assert.equal(HostConfig.ReadonlyRootfs, true, name);
    assert.deepEqual(HostConfig.CapDrop, ['ALL'], name);
    assert.ok(HostConfig.SecurityOpt.includes('no-new-privileges:true'), name);
  }
  passed('app and worker: user 10001, root file system read-only, no capabilities, no new privileges');
}

async function checkApp(services) {
  const app = services.get('app');
  assert.equal(await inside(app, `import('node:fs').then((fs) => fs.existsSync('/var/run/docker.sock'))`), false);
  const neighbour = `fetch('http://nats:8222/healthz').then(({ status }) => status)`;
  assert.equal(await inside(app, neighbour), 200);
  // The name does not exist. Without a name server outside, the lookup times out.
  const byName = await ask(app, 'GET', '/version');
  assert.match(String(byName), /^(ENOTFOUND|EAI_AGAIN|TimeoutError)$/);
  // If the address is known: the networks are separate, and the proxy checks its client.
  const address = services.get('docker-proxy').NetworkSettings.Networks[`${project}_engine`].IPAddress;
  const answer = await ask(app, 'GET', '/version', { host: address });
  assert.ok(answer === 403 || typeof answer === 'string', `app got ${answer} from the proxy`);
  passed(`app: no socket; the proxy by its name: ${byName}; at its address ${address}: ${answer}`);
}

async function checkWorker(services) {
  const worker = services.get('worker');
  assert.equal(await inside(worker, `import('node:fs').then((fs) => fs.existsSync('/var/run/docker.sock'))`), false);
  const image = 'voidrunner/python:latest';
  const create = (HostConfig) => ({ body: { Image: image, HostConfig } });
  const bindMount = { Mounts: [{ Type: 'bind', Source: '/', Target: '/host' }] };
  const bindVolume = {
    Mounts: [{ Type: 'volume', Target: '/host', VolumeOptions: { DriverConfig: { Options: { device: '/' } } } }],
  };
  const other = services.get('postgres').Id;
  const before = await idsOf(`ancestor=${image}`);
  for (const [method, path, expected, options] of [
    ['GET', '/version', 200],
    ['GET', '/v1.41/containers/json', 200],
    ['POST', `/containers/${other}/exec`, 403, { body: { Cmd: ['id'] } }],
    ['POST', '/images/create?fromImage=alpine', 403],
    ['POST', '/build', 403],
    ['POST', '/volumes/create', 403, { body: {} }],
    ['GET', `/containers/${other}/archive?path=/etc/passwd`, 403],
    ['GET', `/containers/${other}/logs?stdout=1`, 403],
    ['DELETE', '/volumes/any', 403],
    ['PUT', `/containers/${other}/archive?path=/`, 405],
    ['POST', '/containers/create', 403, create({ Binds: ['/:/host'] })],
    ['POST', '/v1.41/containers/create', 403, create({ Binds: ['/:/host'] })],
    ['POST', '/containers/create', 403, create(bindMount)],
    ['POST', '/containers/create', 403, create(bindVolume)],
  ]) {
    const answer = await ask(worker, method, path, options);
    assert.equal(answer, expected, `${method} ${path} ${JSON.stringify(options?.body ?? '')}`);
    const asked = options?.body?.HostConfig ? ` ${JSON.stringify(options.body.HostConfig)}` : '';
    passed(`worker: ${String(answer)} ${method} ${path.replace(other, 'OTHER')}${asked}`);
  }
  const [after, cells] = [await idsOf(`ancestor=${image}`), await idsOf('label=voidrunner.managed')];
  const created = after.filter((id) => !cells.includes(id) && !before.includes(id));
  assert.deepEqual(created, []);
}

async function checkSpans() {
  const deadline = performance.now() + spans_wait_ms_max;
  for (;;) {
    const { data } = await (await fetch(`http://127.0.0.1:${JAEGER_PORT}/api/services`)).json();
    const ours = (data ?? []).filter((name) => name.startsWith('voidrunner'));
    if (ours.length > 0) return passed(`Jaeger received spans from ${ours.join(', ')}`);
    assert.ok(performance.now() < deadline, 'no span reached Jaeger');
    await new Promise((resolve) => setTimeout(resolve, poll_ms));
  }
}

const services = await containers();
await checkMounts(services);
await checkNetworks(services);
await checkHardening(services);
checkSecrets(services);
await checkApp(services);
await checkWorker(services);
await checkSpans();
