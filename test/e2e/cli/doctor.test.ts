import { voidrunner } from '../../support/cli.js';
import { RuntimeFiles } from '../../support/runtime-files.js';
import { RUNTIMES } from '../../support/runtimes.js';
import { prepareTestService, type TestService } from '../../support/service.js';

interface Finding {
  readonly check: string;
  readonly verdict: string;
  readonly detail: string;
}

let service: TestService;
let runtimes: RuntimeFiles;
beforeAll(async () => {
  service = await prepareTestService();
});
beforeEach(async () => {
  runtimes = await RuntimeFiles.copy();
});
afterEach(() => runtimes.remove());
afterAll(() => service.close());

const examine = async (env: NodeJS.ProcessEnv = {}, ...args: string[]) => {
  const { code, stdout, stderr } = await voidrunner({ ...service.env, ...env }, ['doctor', ...args]);
  return { code, stdout, stderr };
};

test('doctor runs a real cell and finds no fault', async () => {
  const { code, stdout } = await examine({}, '--json');
  const findings = JSON.parse(stdout) as Finding[];
  expect(findings.map(({ check }) => check)).toEqual([
    'engine',
    'runtime',
    'limits',
    'seccomp',
    'userns-remap',
    'isolation',
    'runtimes',
    'preload',
    'kernel',
    'pool',
    'fairness',
  ]);
  expect(findings.filter(({ verdict }) => verdict === 'fault')).toEqual([]);
  expect(code).toBe(0);
});

test('a smoke program that prints something else is a fault with what it printed', async () => {
  await runtimes.change('bash', (file) => file.replace('echo "works ✓"', 'echo broken; exit 3'));
  const { code, stdout } = await examine({ RUNTIMES_DIR: runtimes.folder });
  expect(code).toBe(1);
  expect(stdout).toMatch(/^FAULT {3}runtimes .*; bash: its smoke program ended with 3 and printed "broken\\n"$/m);
});

test('the workers of a service that runs leave its containers alone', async () => {
  // Longer than workers wait before they remove the containers of a dead worker.
  await runtimes.change('bash', (file) => file.replace('echo "works ✓"', 'sleep 15; echo "works ✓"'));
  const worker = await service.start({ WORKER_HEARTBEAT_INTERVAL: '1s' });
  try {
    const { stdout } = await examine({ RUNTIMES_DIR: runtimes.folder });
    expect(stdout).toMatch(/^ok {6}runtimes {6}bash, .*: works/m);
  } finally {
    await service.stop(worker);
  }
});

test('a missing image of a runtime that is kept ready is a fault with its name and sets the exit code', async () => {
  await runtimes.change('go', (file) => file.replace(/^image: .*$/m, 'image: voidrunner/no-such-image:1'));
  const { code, stdout } = await examine({ RUNTIMES_DIR: runtimes.folder });
  expect(code).toBe(1);
  expect(stdout).toMatch(/^FAULT {3}runtimes {6}.*python.*: works; go(, \w+)*: no image$/m);
});

test('a runtime that the engine does not know is a fault with its name, and no cell is tried', async () => {
  const { code, stdout } = await examine({ EXECUTOR_RUNTIME: 'no-such-runtime' });
  expect(code).toBe(1);
  expect(stdout).toMatch(/^FAULT {3}runtime {7}the engine does not know no-such-runtime, only .*\brunc\b/m);
  expect(stdout).toMatch(/^FAULT {3}isolation {5}no cell ran: does not know the runtime no-such-runtime/m);
});

test.each(RUNTIMES)('doctor runs a cell with %s', async (runtime) => {
  const { code, stdout } = await examine({ EXECUTOR_RUNTIME: runtime });
  expect(code).toBe(0);
  expect(stdout).toMatch(new RegExp(`^(ok    |ADVICE) {2}runtime {7}${runtime} `, 'm'));
});

test('an engine that does not respond has its own exit code', async () => {
  const { code, stderr } = await examine({ DOCKER_ENDPOINT: 'unix:///nowhere/docker.sock' });
  expect(code).toBe(2);
  expect(stderr).toContain('the Docker engine does not respond');
});
