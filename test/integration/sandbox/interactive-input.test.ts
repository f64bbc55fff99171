import { hash } from 'node:crypto';

import { INPUT_WAITING_BYTES_MAX, InteractiveInput } from '../../../src/sandbox/interactive-input.js';
import type { SandboxOutcome } from '../../../src/sandbox/sandbox.js';
import type { ScriptType } from '../../support/declared-runtimes.js';
import { job, type JobParts, TestSandbox } from '../../support/docker.js';
import { eventually } from '../../support/eventually.js';
import { withoutCall } from '../../support/seccomp.js';

const KIB = 1024;
const PIECE_BYTES = 64 * KIB;

/** A program that someone talks to. */
class Talk {
  readonly input = new InteractiveInput();
  readonly cancel = new AbortController();
  readonly end: Promise<SandboxOutcome>;
  private printed = '';

  constructor(box: TestSandbox, runtime: ScriptType, script: string, parts: JobParts = {}) {
    this.end = box.sandbox.run(job(runtime, script, parts), {
      signal: this.cancel.signal,
      onOutput: (stream, chunk) => (this.printed += stream === 'stdout' ? Buffer.from(chunk).toString() : ''),
      interactive: this.input,
    });
  }

  say(text: string, isLast = false) {
    return this.input.add(Buffer.from(text), isLast);
  }

  hears(text: string): Promise<void> {
    return eventually(() => expect(this.printed).toBe(text), { timeoutMs: 60_000, intervalMs: 2 });
  }

  /** Adds bytes as fast as they are taken. */
  async pour(bytes: Buffer, pieceBytes = PIECE_BYTES): Promise<void> {
    for (let at = 0; at < bytes.length; at += pieceBytes) {
      const piece = bytes.subarray(at, at + pieceBytes);
      const isLast = at + pieceBytes >= bytes.length;
      await eventually(() => expect(this.input.add(piece, isLast)).toBe('accepted'), { timeoutMs: 60_000 });
    }
  }
}

let box: TestSandbox;
afterEach(() => box.expectNoContainers());

const GREETERS: readonly (readonly [language: ScriptType, script: string])[] = [
  ['python', 'while True:\n  name = input()\n  print("hello", name)'],
  [
    'javascript',
    `require('node:readline').createInterface({ input: process.stdin }).on('line', (name) => console.log('hello', name))`,
  ],
  ['bash', 'while read -r name; do echo "hello $name"; done'],
  [
    'go',
    `package main
import ("bufio"; "fmt"; "os")
func main() {
  lines := bufio.NewScanner(os.Stdin)
  for lines.Scan() { fmt.Println("hello", lines.Text()) }
}`,
  ],
];

describe.each([
  ['with preloaded interpreters', { preload: true }],
  ['without them', { preload: false }],
  // The first job is refused, and given to another cell.
  ['on a host that refuses namespaces', { seccompProfile: withoutCall('mount') }],
] as const)('%s', (_, options) => {
  beforeAll(async () => {
    box = await TestSandbox.create(options);
  });
  afterAll(() => box.sandbox.close());

  it.each(GREETERS)('a conversation with %s', async (language, script) => {
    const talk = new Talk(box, language, script, { input: { stdin: Buffer.from('first\n') } });
    await talk.hears('hello first\n');
    talk.say('Ada\n');
    await talk.hears('hello first\nhello Ada\n');
    // Half a line is no answer.
    talk.say('Bo');
    talk.say('b\n');
    await talk.hears('hello first\nhello Ada\nhello Bob\n');
    expect(talk.say('', true)).toBe('accepted');
    // Python's input() raises EOFError.
    expect(await talk.end).toMatchObject({ reason: 'exit_code', returnCode: language === 'python' ? 1 : 0 });
    expect(talk.say('late\n')).toBe('ended');
  });
});

describe('an interactive program', () => {
  beforeAll(async () => {
    box = await TestSandbox.create();
  });
  afterAll(() => box.sandbox.close());

  it('gets what was added before it started, and the end', async () => {
    const talk = new Talk(box, 'bash', 'cat', { input: { stdin: Buffer.from('a') } });
    talk.say('b');
    talk.say('c', true);
    await talk.end;
    await talk.hears('abc');
  });

  it('that never reads fills the buffer, and ends without it', async () => {
    const talk = new Talk(box, 'bash', 'echo on; sleep 600', { timeoutMs: 3_000 });
    await talk.hears('on\n');
    const piece = Buffer.alloc(PIECE_BYTES);
    let accepted = 0;
    while (talk.input.add(piece, false) === 'accepted') accepted += 1;
    // What the pipe takes makes room.
    await eventually(() => expect(talk.input.add(piece, false)).toBe('accepted'));
    expect(accepted).toBe(INPUT_WAITING_BYTES_MAX / PIECE_BYTES);
    await eventually(() => expect(talk.input.add(Buffer.alloc(1), false)).toBe('full'));
    expect(await talk.end).toMatchObject({ reason: 'timeout' });
    expect(talk.input.add(piece, false)).toBe('ended');
  });

  it('that closes its input early takes any amount', async () => {
    const talk = new Talk(box, 'bash', 'exec <&-; echo closed; sleep 1; echo end');
    await talk.hears('closed\n');
    await talk.pour(Buffer.alloc(KIB * KIB));
    expect(await talk.end).toMatchObject({ returnCode: 0 });
  });

  it('is ended by a cancel while it waits', async () => {
    const talk = new Talk(box, 'bash', 'echo on; read -r line; echo never');
    await talk.hears('on\n');
    talk.cancel.abort();
    expect(talk.say('x\n')).toBe('ended');
    expect(await talk.end).toMatchObject({ reason: 'cancelled' });
  });

  it('is over at its end, however much is left', async () => {
    const talk = new Talk(box, 'bash', 'read -r line; echo "$line"');
    talk.say('one\n');
    talk.say('two\n'.repeat(30_000));
    expect(await talk.end).toMatchObject({ reason: 'exit_code', returnCode: 0 });
    await talk.hears('one\n');
    // The cell is not confused by it.
    expect((await box.run('bash', 'wc -c')).out).toBe('0\n');
  });

  it('gets 200 pieces in their order', async () => {
    const talk = new Talk(box, 'python', 'for line in iter(input, "end"): print(line)');
    const lines = Array.from({ length: 200 }, (_, n) => `line ${n}\n`);
    for (const [at, line] of lines.entries()) {
      talk.say(line);
      if (at % 20 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    talk.say('end\n');
    expect(await talk.end).toMatchObject({ returnCode: 0 });
    await talk.hears(lines.join(''));
  });

  it.each([
    ['small', 1_000],
    ['large', PIECE_BYTES],
  ])('that reads slowly gets a MiB in %s pieces unchanged', async (_, pieceBytes) => {
    const bytes = Buffer.from(Uint8Array.from({ length: KIB * KIB }, (_value, n) => (n * 7 + (n >> 8)) % 251));
    const script = `import hashlib, sys, time
digest = hashlib.sha256()
while piece := sys.stdin.buffer.read(32768):
    digest.update(piece)
    time.sleep(0.01)
print(digest.hexdigest())`;
    const talk = new Talk(box, 'python', script);
    await talk.pour(bytes, pieceBytes);
    expect(await talk.end).toMatchObject({ returnCode: 0 });
    await talk.hears(`${hash('sha256', bytes)}\n`);
  });

  it('keeps its files when its input is over', async () => {
    const talk = new Talk(box, 'bash', 'cat >kept.txt', { input: { outputs: ['*.txt'] } });
    talk.say('bytes', true);
    const { files } = await talk.end;
    expect(files.map(({ path, content }) => [path, Buffer.from(content).toString()])).toEqual([['kept.txt', 'bytes']]);
  });
});
