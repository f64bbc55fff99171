import type { ScriptType } from '../../support/declared-runtimes.js';
import { TestSandbox } from '../../support/docker.js';

let box: TestSandbox;

beforeAll(async () => {
  box = await TestSandbox.create();
});
afterEach(() => box.expectNoContainers());
afterAll(() => box.sandbox.close());

const LINES = 'one\ntwo\n';
const LARGE = Buffer.alloc(1024 * 1024, 'x');

/** Each waits for its input with its language's means for pipes, and prints it. */
const WAITERS: readonly (readonly [how: string, language: ScriptType, script: string])[] = [
  [
    'select',
    'python',
    `import select, sys
ready, _, _ = select.select([sys.stdin], [], [])
print(ready[0].read(), end="")`,
  ],
  [
    'selectors',
    'python',
    `import selectors, sys
selector = selectors.DefaultSelector()
selector.register(sys.stdin, selectors.EVENT_READ)
selector.select()
print(sys.stdin.read(), end="")`,
  ],
  [
    'asyncio',
    'python',
    `import asyncio, sys
async def main():
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        print(line.decode(), end="")
asyncio.run(main())`,
  ],
  [
    'readline',
    'javascript',
    `require('node:readline').createInterface({ input: process.stdin }).on('line', (l) => console.log(l))`,
  ],
  ['for await', 'typescript', `for await (const chunk of process.stdin) process.stdout.write(chunk as Buffer);`],
  ['the device', 'bash', 'cat /dev/stdin'],
  [
    'a deadline',
    'go',
    `package main
import ("io"; "os"; "syscall")
func main() {
  syscall.SetNonblock(0, true)
  io.Copy(os.Stdout, os.NewFile(0, "stdin"))
}`,
  ],
];

it.each(WAITERS)('stdin is a pipe: %s in %s', async (_, language, script) => {
  const outcome = await box.run(language, script, { input: { stdin: Buffer.from(LINES) } });
  expect(outcome).toMatchObject({ out: LINES, err: '', returnCode: 0 });
});

it.each([
  ['reads all of it', 'wc -c', '1048576\n'],
  ['reads it late', 'sleep 0.2; wc -c', '1048576\n'],
  ['reads some of it', 'head -c 3; exec <&-; echo', 'xxx\n'],
  ['reads none of it', 'echo on', 'on\n'],
])('a program that %s is not affected by a large stdin', async (_, script, out) => {
  const outcome = await box.run('bash', script, { input: { stdin: LARGE } });
  expect(outcome).toMatchObject({ out, returnCode: 0 });
});

it('without stdin, a read reaches the end at once', async () => {
  expect((await box.run('bash', 'wc -c')).out).toBe('0\n');
});
