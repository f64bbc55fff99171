import { TestSandbox } from '../../support/docker.js';

const HELLO = 'package main\nfunc main() { println("hi") }';
/** Takes longer to compile, within its CPU limit, than the program's own timeout. */
const LARGE = `package main
import ("fmt"; "net/http")
func main() { fmt.Println(http.StatusText(404)) }`;

let box: TestSandbox;

beforeAll(async () => {
  box = await TestSandbox.create();
});
afterEach(() => box.expectNoContainers());
afterAll(() => box.sandbox.close());

it('a compiler has its own time limit', async () => {
  const limits = { memory_mb: 256, cpus: 0.3, pids: 128 };
  const outcome = await box.run('go', LARGE, { limits, timeoutMs: 1_000 });
  expect(outcome).toMatchObject({ reason: 'exit_code', returnCode: 0, out: 'Not Found\n', err: '' });
});

it('compile time does not count as the program’s time', async () => {
  const { cpuTimeMs, wallTimeMs } = await box.run('go', LARGE);
  const compiled = await box.run('go', LARGE.replace('fmt.Println', 'undefined'));
  expect(compiled.reason).toBe('compile');
  expect(cpuTimeMs).toBeLessThan(compiled.cpuTimeMs!);
  expect(wallTimeMs).toBeLessThan(compiled.wallTimeMs);
});

it('a program that does not compile differs from one that fails', async () => {
  const wrong = await box.run('go', 'package main\nfunc main() { undefinedName() }');
  expect(wrong).toMatchObject({ reason: 'compile', signal: null, out: '' });
  expect(wrong.returnCode).toBeGreaterThan(0);
  expect(wrong.err).toContain('undefined: undefinedName');
  const panics = await box.run('go', 'package main\nfunc main() { panic("no") }');
  expect(panics).toMatchObject({ reason: 'exit_code', returnCode: 2 });
  expect(panics.err).toContain('panic: no');
});

it('a compiler that takes too long is ended', async () => {
  const slow = await TestSandbox.create({ compileTimeoutMs: 100 });
  const limits = { memory_mb: 256, cpus: 0.1, pids: 128 };
  const outcome = await slow.run('go', LARGE, { limits });
  expect(outcome).toMatchObject({ reason: 'compile', returnCode: null, out: '' });
  await slow.sandbox.close();
});

it('a compiler does not read the program’s input', async () => {
  const cat = 'package main\nimport ("io"; "os")\nfunc main() { io.Copy(os.Stdout, os.Stdin) }';
  expect(await box.run('go', cat, { input: { stdin: Buffer.from('all of it') } })).toMatchObject({ out: 'all of it' });
});

it('a compiler is cancelled with its run', async () => {
  const cancel = new AbortController();
  const running = box.run('go', LARGE, { limits: { memory_mb: 256, cpus: 0.1, pids: 128 } }, cancel.signal);
  cancel.abort();
  expect((await running).reason).toBe('cancelled');
  expect(await box.run('go', HELLO)).toMatchObject({ reason: 'exit_code', err: 'hi\n' });
});
