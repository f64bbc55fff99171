import type { ScriptType } from './declared-runtimes.js';

type Programs = Readonly<Record<ScriptType, string>>;

/** Each prints its input as the same JSON, writes to stderr and exits with 7. */
export const ECHO: Programs = {
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
};

/** Each counts the words of its stdin, prints them by frequency, then the text's SHA-256. */
export const LIBRARY: Programs = {
  python: `
import collections, hashlib, re, sys
text = sys.stdin.read()
counts = collections.Counter(re.findall(r"\\w+", text.lower()))
for word, count in sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])): print(f"{count} {word}")
print(hashlib.sha256(text.encode()).hexdigest())`,
  javascript: `
import { createHash } from 'node:crypto';
import { text } from 'node:stream/consumers';
const input = await text(process.stdin);
const counts = new Map();
for (const [word] of input.toLowerCase().matchAll(/\\p{L}+/gu)) counts.set(word, (counts.get(word) ?? 0) + 1);
for (const [word, count] of [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1))) console.log(count, word);
console.log(createHash('sha256').update(input).digest('hex'));`,
  typescript: `
import { createHash } from 'node:crypto';
import { createInterface } from 'node:readline/promises';
namespace Words { export const of = (line: string): string[] => line.toLowerCase().match(/\\p{L}+/gu) ?? []; }
class Tally<Key extends string> {
  private readonly counts = new Map<Key, number>();
  constructor(private readonly order: (a: Key, b: Key) => number) {}
  add(key: Key): void { this.counts.set(key, (this.counts.get(key) ?? 0) + 1); }
  sorted(): [Key, number][] { return [...this.counts].sort(([a, m], [b, n]) => n - m || this.order(a, b)); }
}
const tally = new Tally<string>((a, b) => (a < b ? -1 : 1));
const hash = createHash('sha256');
for await (const line of createInterface({ input: process.stdin })) {
  hash.update(line + '\\n');
  Words.of(line).forEach((word) => tally.add(word));
}
for (const [word, count] of tally.sorted()) console.log(count, word);
console.log(hash.digest('hex'));`,
  bash: `
set -euo pipefail
text=$(mktemp)
trap 'rm -f "$text"' EXIT
cat >"$text"
declare -A counts
while read -r word; do counts[$word]=$(( \${counts[$word]:-0} + 1 )); done < <(sed 's/.*/\\L&/' "$text" | grep -oE '[[:alpha:]]+')
for word in "\${!counts[@]}"; do echo "\${counts[$word]} $word"; done | LC_ALL=C sort -k1,1nr -k2
sha256sum <"$text" | cut -d' ' -f1`,
  go: `package main
import ("crypto/sha256"; "fmt"; "io"; "os"; "regexp"; "sort"; "strings")
func main() {
  text, err := io.ReadAll(os.Stdin)
  if err != nil { panic(err) }
  counts := map[string]int{}
  for _, word := range regexp.MustCompile("\\\\pL+").FindAllString(strings.ToLower(string(text)), -1) { counts[word]++ }
  var words []string
  for word := range counts { words = append(words, word) }
  sort.Slice(words, func(i, j int) bool {
    if a, b := counts[words[i]], counts[words[j]]; a != b { return a > b }
    return words[i] < words[j]
  })
  for _, word := range words { fmt.Println(counts[word], word) }
  fmt.Printf("%x\\n", sha256.Sum256(text))
}`,
};

export interface Module {
  readonly script: string;
  readonly path: string;
  readonly content: string;
}

/** Each prints 42, with a function from a source file in a subfolder. */
export const MODULES: Readonly<Record<ScriptType, Module>> = {
  python: {
    script: 'from lib.twice import twice\nprint(twice(21))',
    path: 'lib/twice.py',
    content: 'def twice(n): return 2 * n',
  },
  javascript: {
    script: 'const { twice } = require("./lib/twice.js"); console.log(twice(21))',
    path: 'lib/twice.js',
    content: 'exports.twice = (n) => 2 * n;',
  },
  typescript: {
    script: 'import { twice } from "./lib/twice.ts"; console.log(twice(21) satisfies number)',
    path: 'lib/twice.ts',
    content: 'export const twice = (n: number): number => 2 * n;',
  },
  bash: { script: '. lib/twice.sh; twice 21', path: 'lib/twice.sh', content: 'twice() { echo $((2 * $1)); }' },
  go: {
    script: 'package main\nimport ("fmt"; "task/lib")\nfunc main() { fmt.Println(lib.Twice(21)) }',
    path: 'lib/twice.go',
    content: 'package lib\nfunc Twice[N int | float64](n N) N { return 2 * n }',
  },
};

const LONG_CHARACTERS = 60_000;

/** As many statements as fit into a script of 60,000 characters; then prints their number. */
const long = (head: string, statement: string, tail: string) => {
  const statements = Math.floor((LONG_CHARACTERS - head.length - tail.length) / statement.length);
  return { script: (head + statement.repeat(statements) + tail).padEnd(LONG_CHARACTERS, '\n'), statements };
};

export const LONG_SCRIPTS = {
  python: long('n = 0\n', 'n += 1 # é\n', 'print(n)\n'),
  javascript: long('let n = 0;\n', 'n += 1; // é\n', 'console.log(n);\n'),
  typescript: long('let n: number = 0;\n', 'n += 1 as number; // é\n', 'console.log(n);\n'),
  bash: long('n=0\n', 'n=$((n + 1)) # é\n', 'echo $n\n'),
  go: long('package main\nimport "fmt"\nfunc main() {\n  n := 0\n', '  n += 1 // é\n', '  fmt.Println(n)\n}\n'),
} as const;
