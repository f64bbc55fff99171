import { runtimeOf, SCRIPT_TYPES, type ScriptType } from '../../support/declared-runtimes.js';
import { floorOf } from '../../../src/runtimes/runtime.js';
import { TestSandbox } from '../../support/docker.js';

/** In new cells: the first job has the least memory left. */
const RUNS = 3;

const HELLO: Readonly<Record<ScriptType, string>> = {
  python:
    'import json, subprocess\nprint(subprocess.run(["echo", "hi"], capture_output=True, text=True).stdout, end="")',
  javascript: 'console.log("hi")',
  typescript: 'enum Greeting { hi = "hi" }\nconst greeting: Greeting = Greeting.hi;\nconsole.log(greeting)',
  bash: 'echo hi | cat',
  go: `package main
import ("encoding/json"; "fmt"; "net/http")
func main() {
	var text string
	if json.Unmarshal([]byte("\\"hi\\""), &text) == nil && http.StatusOK == 200 { fmt.Println(text) }
}`,
};

/** Each program uses that many bytes of memory. */
const hogs = (bytes: number): Readonly<Record<ScriptType, string>> => ({
  python: `x = b"x" * ${bytes}\nprint(len(x))`,
  javascript: `console.log(Buffer.alloc(${bytes}, 1).length)`,
  typescript: `const x: Buffer = Buffer.alloc(${bytes}, 1);\nconsole.log(x.length)`,
  bash: `x=$(head -c ${bytes} /dev/zero | tr '\\0' x); echo \${#x}`,
  go: `package main
func main() {
	x := make([]byte, ${bytes})
	for i := range x { x[i] = 1 }
	println(len(x))
}`,
});

let box: TestSandbox;
beforeAll(async () => {
  box = await TestSandbox.create();
});
afterAll(async () => {
  await box.expectNoContainers();
  await box.sandbox.close();
});

describe.each(SCRIPT_TYPES)('%s', (language) => {
  const floor = { ...floorOf(runtimeOf(language)), cpus: 1 };

  it('runs "hello" at its minimum limits, on any number of CPUs', async () => {
    for (let run = 0; run < RUNS; run += 1) {
      const outcome = await box.run(language, HELLO[language], { limits: { ...floor, cpus: 1 + run } });
      expect(outcome).toMatchObject({ reason: 'exit_code', returnCode: 0, out: 'hi\n', err: '', notes: [] });
    }
  });

  it('is refused memory beyond its limit, and reports that', async () => {
    const limit = floor.memory_mb;
    const outcome = await box.run(language, hogs((limit + 20) << 20)[language], { limits: floor });
    expect(outcome).toMatchObject({ reason: 'out_of_memory', returnCode: 137, out: '' });
    expect(outcome.memoryPeakBytes).toBe(limit << 20);
    expect(outcome.notes).toEqual([
      expect.stringMatching(
        `^the limit of ${limit} MiB of memory was reached \\(\\d+ process(es were| was) killed\\)$`,
      ),
    ]);
  });
});
