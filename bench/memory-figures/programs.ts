import type { ScriptType } from '../../test/support/declared-runtimes.js';

/** Prints its peak memory as its last line: bytes, from /proc. */
export interface MeasuredProgram {
  readonly what: string;
  readonly language: ScriptType;
  readonly script: string;
}

/**
 * At its exit an interpreter writes to pages that it shares with its forks, which unshares them: so it exits by
 * `_exit`. One process reports its high-water mark; several report the sum of their proportional shares: each page
 * counts once.
 */
const PYTHON = `import mmap, os, subprocess, time
def field(path, name):
    return next(int(line.split()[1]) * 1024 for line in open(path) if line.startswith(name + ":"))
def mark(): return field("/proc/self/status", "VmHWM")
def shares(pids): return sum(field(f"/proc/{pid}/smaps_rollup", "Pss") for pid in pids)
def fork(work):
    ready, tell = os.pipe()
    pid = os.fork()
    if pid == 0:
        kept = work()
        os.write(tell, b"1")
        time.sleep(60)
    os.read(ready, 1)
    return pid
`;
const NODE = `const fs = require('node:fs');
const field = (path, name) => Number(new RegExp(name + ':\\\\s+(\\\\d+)').exec(fs.readFileSync(path, 'utf8'))[1]) * 1024;
const mark = () => field('/proc/self/status', 'VmHWM');
`;
/** At exit, because the first output of a program costs 2 MiB, which an earlier reading would miss. */
const MARK_AT_EXIT = "process.on('exit', () => console.log(mark()));\n";
const BASH_MARK = 'while read -r name size _; do [ $name = VmHWM: ] && echo $((size * 1024)); done </proc/$$/status; :';
const GO_MARK = `
func mark() {
	status, _ := os.ReadFile("/proc/self/status")
	for _, line := range strings.Split(string(status), "\\n") {
		if parts := strings.Fields(line); len(parts) > 1 && parts[0] == "VmHWM:" {
			kib, _ := strconv.Atoi(parts[1])
			fmt.Println(kib * 1024)
		}
	}
}
`;
const GO = `package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)
${GO_MARK}
`;

export const PROGRAMS: readonly MeasuredProgram[] = [
  { what: 'hello', language: 'python', script: `${PYTHON}print(mark())` },
  { what: 'hello', language: 'javascript', script: `${NODE}${MARK_AT_EXIT}console.log('hello');` },
  {
    what: 'hello',
    language: 'typescript',
    script: `${NODE}${MARK_AT_EXIT}const greeting: string = 'hello';\nconsole.log(greeting);`,
  },
  { what: 'hello', language: 'bash', script: BASH_MARK },
  { what: 'hello', language: 'go', script: `${GO}func main() { mark() }` },
  { what: '60 MiB', language: 'python', script: `${PYTHON}kept = bytearray(60 << 20)\ntime.sleep(0.1)\nprint(mark())` },
  {
    what: '60 MiB for an instant',
    language: 'python',
    script: `${PYTHON}kept = b"x" * (60 << 20)\ndel kept\ntime.sleep(0.1)\nprint(mark())`,
  },
  {
    what: '60 MiB',
    language: 'javascript',
    script: `${NODE}${MARK_AT_EXIT}const kept = Buffer.alloc(60 << 20, 1);\nconsole.log(kept.length);`,
  },
  {
    what: '60 MiB',
    language: 'bash',
    script: `kept=$(printf '%*s' 20000000 x)\nkept=$kept$kept\n${BASH_MARK}`,
  },
  {
    what: '60 MiB',
    language: 'go',
    script: `${GO}func main() {\n\tkept := make([]byte, 60<<20)\n\tfor i := range kept {\n\t\tkept[i] = 1\n\t}\n\tmark()\n\tfmt.Fprintln(os.Stderr, len(kept))\n}`,
  },
  {
    what: '4 forks of 20 MiB, 10 MiB each',
    language: 'python',
    script: `${PYTHON}kept = bytearray(20 << 20)
pids = [fork(lambda: b"x" * (10 << 20)) for _ in range(4)]
time.sleep(0.1)
print(shares([os.getpid(), *pids]), flush=True)
os._exit(0)`,
  },
  {
    what: '20 forks',
    language: 'python',
    script: `${PYTHON}pids = [fork(lambda: None) for _ in range(20)]
time.sleep(0.1)
print(shares([os.getpid(), *pids]), flush=True)
os._exit(0)`,
  },
  {
    what: '8 other programs',
    language: 'python',
    script: `${PYTHON}children = [subprocess.Popen(["sleep", "60"]) for _ in range(8)]
time.sleep(0.2)
print(shares([os.getpid(), *(child.pid for child in children)]))
for child in children: child.kill()`,
  },
  {
    what: '2 processes',
    language: 'javascript',
    script: `${NODE}const child = require('node:child_process').spawn(process.execPath, ['-e', 'const kept = Buffer.alloc(30 << 20, 1); console.log(1); setInterval(() => kept, 1000)']);
child.stdout.once('data', () => setTimeout(() => {
  console.log([process.pid, child.pid].reduce((sum, pid) => sum + field(\`/proc/\${pid}/smaps_rollup\`, 'Pss'), 0));
  child.kill();
}, 100));`,
  },
  {
    what: '30 MiB shared by 3',
    language: 'python',
    script: `${PYTHON}shared = mmap.mmap(-1, 30 << 20)
shared.write(b"x" * (30 << 20))
pids = [fork(lambda: (shared.seek(0), shared.read(30 << 20))[0]) for _ in range(2)]
time.sleep(0.1)
print(max(mark(), shares([os.getpid(), *pids])), flush=True)
os._exit(0)`,
  },
  {
    what: '30 MiB in /tmp',
    language: 'python',
    script: `${PYTHON}with open("/tmp/file", "wb") as file:
    for _ in range(30): file.write(bytes(1 << 20))
time.sleep(0.1)
print(mark() + (30 << 20))`,
  },
  {
    what: '10 MiB in /dev/shm',
    language: 'python',
    script: `${PYTHON}with open("/dev/shm/file", "wb") as file:
    for _ in range(10): file.write(bytes(1 << 20))
time.sleep(0.1)
print(mark() + (10 << 20))`,
  },
  {
    what: 'reads 50 MiB of the image',
    language: 'python',
    script: `${PYTHON}left = 50 << 20
for folder, _, names in os.walk("/usr"):
    for name in names:
        path = os.path.join(folder, name)
        if left <= 0 or os.path.islink(path) or not os.path.isfile(path): continue
        with open(path, "rb") as file:
            while left > 0 and (got := len(file.read(1 << 16))): left -= got
time.sleep(0.1)
print(mark())`,
  },
];
