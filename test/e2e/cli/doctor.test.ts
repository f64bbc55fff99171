import { voidrunner } from '../../support/cli.js';
import { RUNTIMES } from '../../support/runtimes.js';
import { prepareTestService, type TestService } from '../../support/service.js';

interface Finding {
  readonly check: string;
  readonly verdict: string;
  readonly detail: string;
}

let service: TestService;
beforeAll(async () => {
  service = await prepareTestService();
});
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
    'images',
    'isolation',
    'preload',
    'kernel',
    'pool',
    'fairness',
  ]);
  expect(findings.filter(({ verdict }) => verdict === 'fault')).toEqual([]);
  expect(code).toBe(0);
});

test('a missing image is a fault with its name and sets the exit code', async () => {
  const { code, stdout } = await examine({ EXECUTOR_GO_IMAGE: 'voidrunner/no-such-image:1' });
  expect(code).toBe(1);
  expect(stdout).toMatch(/^FAULT {3}images {8}missing: voidrunner\/no-such-image:1$/m);
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
