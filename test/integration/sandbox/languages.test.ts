import { TestSandbox } from '../../support/docker.js';

let box: TestSandbox;

beforeAll(async () => {
  box = await TestSandbox.create();
});
afterEach(() => box.expectNoContainers());
afterAll(() => box.sandbox.close());

const INPUT = {
  stdin: Buffer.from('grüße\nzwei\n'),
  args: ['one', 'two words', '', '$(id) "quoted" \\'],
  env: { GREETING: 'héllo = wörld', EMPTY: '' },
  files: [
    { path: 'data.txt', content: Buffer.from('file ünïcode') },
    { path: 'deep/er/data.bin', content: Buffer.from([0, 255, 10, 13]) },
  ],
};

/** Each prints the same JSON of what it was given, writes to stderr and exits with 7. */
const ECHO = {
  python: `
import sys, os, json, subprocess, threading
seen = []
thread = threading.Thread(target=lambda: seen.append(1)); thread.start(); thread.join()
print(json.dumps({"stdin": sys.stdin.read(), "args": sys.argv[1:], "greeting": os.environ["GREETING"], "empty": os.environ["EMPTY"],
  "text": open("data.txt").read(), "bytes": list(open("deep/er/data.bin", "rb").read()), "threads": len(seen),
  "child": subprocess.run(["cat", "data.txt"], capture_output=True, text=True).stdout}, ensure_ascii=False))
print("to stderr: ✓", file=sys.stderr)
sys.exit(7)`,
  javascript: `
const fs = require('node:fs');
const { Worker } = require('node:worker_threads');
const { execFileSync } = require('node:child_process');
const worker = new Worker('require("node:worker_threads").parentPort.postMessage(1)', { eval: true });
worker.on('message', (threads) => {
  console.log(JSON.stringify({ stdin: fs.readFileSync(0, 'utf8'), args: process.argv.slice(2), greeting: process.env.GREETING,
    empty: process.env.EMPTY, text: fs.readFileSync('data.txt', 'utf8'), bytes: [...fs.readFileSync('deep/er/data.bin')],
    threads, child: execFileSync('cat', ['data.txt'], { encoding: 'utf8' }) }));
  console.error('to stderr: ✓');
  process.exitCode = 7;
});`,
  typescript: `
import { readFileSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { Worker } from 'node:worker_threads';
enum Code { Seven = 7 }
interface Echo { readonly stdin: string; readonly [more: string]: unknown }
const threads: number = await new Promise((resolve) =>
  new Worker('require("node:worker_threads").parentPort.postMessage(1)', { eval: true }).on('message', resolve));
const echo: Echo = { stdin: readFileSync(0, 'utf8'), args: process.argv.slice(2), greeting: process.env['GREETING']!,
  empty: process.env['EMPTY'], text: readFileSync('data.txt', 'utf8'), bytes: [...readFileSync('deep/er/data.bin')],
  threads, child: execFileSync('cat', ['data.txt'], { encoding: 'utf8' }) };
console.log(JSON.stringify(echo));
console.error('to stderr: ✓');
process.exitCode = Code.Seven;`,
  bash: String.raw`
quote() { local s=$1; s=${'$'}{s//\\/\\\\}; s=${'$'}{s//\"/\\\"}; s=${'$'}{s//$'\n'/\\n}; printf '"%s"' "$s"; }
stdin=$(cat; printf x); stdin=${'$'}{stdin%x}
sleep 0 & wait $!
printf '{"stdin":%s,"args":[%s,%s,%s,%s],"greeting":%s,"empty":"%s","text":%s,"bytes":[%s],"threads":1,"child":%s}\n' \
  "$(quote "$stdin")" "$(quote "$1")" "$(quote "$2")" "$(quote "$3")" "$(quote "$4")" "$(quote "$GREETING")" "$EMPTY" \
  "$(quote "$(<data.txt)")" "$(od -An -tu1 deep/er/data.bin | sed 's/^ *//; s/  */,/g')" "$(quote "$(cat data.txt)")"
echo 'to stderr: ✓' >&2
exit 7`,
  go: `package main
import ("encoding/json"; "fmt"; "io"; "os"; "os/exec"; "sync")
func main() {
  var wait sync.WaitGroup
  threads := 0
  wait.Add(1)
  go func() { threads++; wait.Done() }()
  wait.Wait()
  stdin, _ := io.ReadAll(os.Stdin)
  text, _ := os.ReadFile("data.txt")
  raw, _ := os.ReadFile("deep/er/data.bin")
  bytes := []int{}
  for _, b := range raw { bytes = append(bytes, int(b)) }
  child, _ := exec.Command("cat", "data.txt").Output()
  out := json.NewEncoder(os.Stdout)
  out.SetEscapeHTML(false)
  out.Encode(map[string]any{"stdin": string(stdin), "args": os.Args[1:], "greeting": os.Getenv("GREETING"), "empty": os.Getenv("EMPTY"),
    "text": string(text), "bytes": bytes, "threads": threads, "child": string(child)})
  fmt.Fprintln(os.Stderr, "to stderr: ✓")
  os.Exit(7)
}`,
} as const;

it('finds its interpreter whatever PATH the user sets, and other programs by the image’s where they set none', async () => {
  const script = 'import os, shutil\nprint(os.environ["PATH"], shutil.which("bash"))';
  const nowhere = await box.run('python', script, { input: { env: { PATH: '/nowhere' } } });
  expect(nowhere).toMatchObject({ out: '/nowhere None\n', returnCode: 0 });
  const usual = await box.run('python', script);
  expect(usual.out).toMatch(/^\S*\/usr\/bin\S* \S*\/bin\/bash\n$/);
});

describe.each(Object.entries(ECHO) as [keyof typeof ECHO, string][])('%s', (language, script) => {
  it('gets stdin, args, env and files, uses threads and subprocesses, and gives output and exit code', async () => {
    const outcome = await box.run(language, script, { input: INPUT });
    expect(outcome.err).toBe('to stderr: ✓\n');
    expect(JSON.parse(outcome.out)).toEqual({
      stdin: 'grüße\nzwei\n',
      args: INPUT.args,
      greeting: 'héllo = wörld',
      empty: '',
      text: 'file ünïcode',
      bytes: [0, 255, 10, 13],
      threads: 1,
      child: 'file ünïcode',
    });
    expect(outcome).toMatchObject({ reason: 'exit_code', returnCode: 7, signal: null });
    expect(outcome.stdout).toMatchObject({ truncated: false, bytesTotal: Buffer.byteLength(outcome.out) });
    expect(outcome.cpuTimeMs).toBeGreaterThan(0);
    expect(outcome.memoryPeakBytes).toBeGreaterThan(1024 * 1024);
  });
});
