import type { ScriptType } from '../../support/declared-runtimes.js';
import { TestSandbox } from '../../support/docker.js';

/** What the service keeps of each stream. */
const CAP = 1024 * 1024;
/** Below the cap, at it, over it, and far more than any queue on the path holds. */
const SIZES = [850_000, 950_000, CAP, 2_000_000, 10_000_000];
/** If the launcher failed to report the end, nothing else would end the run before the test's own limit. */
const TIMEOUT_MS = 3_600_000;

const PRINTERS: Readonly<Record<ScriptType, (bytes: number, stream: 1 | 2) => string>> = {
  bash: (bytes, stream) => `head -c ${bytes} /dev/zero | tr '\\0' x >&${stream}`,
  python: (bytes, stream) => `import sys; (sys.stdout if ${stream} == 1 else sys.stderr).write("x" * ${bytes})`,
  javascript: (bytes, stream) => `process.std${stream === 1 ? 'out' : 'err'}.write('x'.repeat(${bytes}))`,
  typescript: (bytes, stream) =>
    `const n: number = ${bytes}; process.std${stream === 1 ? 'out' : 'err'}.write('x'.repeat(n))`,
  go: (bytes, stream) => `package main
import ("os"; "strings")
func main() { os.Std${stream === 1 ? 'out' : 'err'}.WriteString(strings.Repeat("x", ${bytes})) }`,
};

let box: TestSandbox;

beforeAll(async () => {
  box = await TestSandbox.create({ outputBytesMax: CAP });
});
afterEach(() => box.expectNoContainers());
afterAll(() => box.sandbox.close());

describe.each(Object.keys(PRINTERS) as ScriptType[])('%s', (language) => {
  it.each([1, 2] as const)('reports the end immediately, whatever was printed to descriptor %d', async (stream) => {
    for (const bytes of SIZES) {
      const outcome = await box.run(language, PRINTERS[language](bytes, stream), { timeoutMs: TIMEOUT_MS });
      expect(outcome).toMatchObject({ reason: 'exit_code', returnCode: 0 });
      const { content, bytesTotal, truncated } = stream === 1 ? outcome.stdout : outcome.stderr;
      expect({ bytesTotal, truncated }).toEqual({ bytesTotal: bytes, truncated: bytes > CAP });
      expect(content).toHaveLength(Math.min(bytes, CAP));
    }
  });
});

it('many concurrent runs report their ends immediately, too', async () => {
  const runs = Array.from({ length: 24 }, (_, n) =>
    box.run('bash', PRINTERS.bash(950_000, n % 2 === 0 ? 1 : 2), { timeoutMs: TIMEOUT_MS }),
  );
  for (const { reason, returnCode } of await Promise.all(runs)) {
    expect({ reason, returnCode }).toEqual({ reason: 'exit_code', returnCode: 0 });
  }
});
