import { DONE, type HostileProgram, TIMEOUT, told } from './program.js';

/** Programs that try to use up the host's CPU time and processes. */
export const TIME: readonly HostileProgram[] = [
  {
    wants: 'a fork bomb',
    // Each of its processes prints once that it was refused.
    scripts: {
      python: `import os
told = False
while True:
    try: os.fork()
    except OSError:
        if not told: os.write(1, b"refused\\n"); told = True`,
      javascript: `const { spawn } = require('node:child_process');
let told = false;
const refused = () => { if (!told) console.log('refused'); told = true; };
const more = () => { for (let n = 0; n < 20; n += 1) spawn('sleep', ['600'], { stdio: 'ignore' }).on('error', refused); };
setInterval(more, 5);`,
      // Bypasses Go's runtime, which would need more threads and give up.
      go: `package main
import ("syscall"; "unsafe")
func main() {
  told, refused := false, []byte("refused\\n")
  for {
    _, _, errno := syscall.RawSyscall(syscall.SYS_CLONE, uintptr(syscall.SIGCHLD), 0, 0)
    if errno != syscall.EAGAIN || told { continue }
    syscall.RawSyscall(syscall.SYS_WRITE, 1, uintptr(unsafe.Pointer(&refused[0])), uintptr(len(refused)))
    told = true
  }
}`,
    },
    begun: told,
    everywhere: 'python',
    meets: 'EAGAIN at its limit, then the timeout',
    expected: { ...TIMEOUT, out: expect.stringMatching(/^(refused\n)+$/) as string },
  },
  {
    wants: 'a fork bomb',
    scripts: { bash: ':(){ :|:& };:; while :; do :; done' },
    begun: told,
    meets: 'EAGAIN at its limit, then the timeout',
    expected: { ...TIMEOUT, err: expect.stringContaining('fork: retry: Resource temporarily unavailable') as string },
  },
  {
    wants: 'a thread bomb',
    scripts: {
      python: `import threading
stop = threading.Event(); count = 0
try:
    while True: threading.Thread(target=stop.wait).start(); count += 1
except RuntimeError: print("refused" if count < 64 else count)
stop.set()`,
      javascript: `const { Worker } = require('node:worker_threads');
let count = 0;
try {
  for (;;) { new Worker('setTimeout(() => {}, 600_000)', { eval: true }); count += 1; }
} catch { require('node:fs').writeSync(1, count < 64 ? 'refused\\n' : count + '\\n'); process.exit(0); }`,
    },
    everywhere: 'python',
    // Node's threads take 10 MB each: this much memory lets the limit of threads be reached first.
    limits: { memory_mb: 512, pids: 24 },
    meets: 'threads count as processes',
    expected: { ...DONE, out: 'refused\n' },
  },
  {
    wants: 'a thread bomb',
    scripts: {
      go: `package main
import "runtime"
func main() {
  for { go func() { runtime.LockOSThread(); select {} }(); runtime.Gosched() }
}`,
    },
    meets: 'threads count as processes, and its runtime gives up',
    // A failing compiler exits with the same code.
    expected: {
      reason: 'exit_code',
      returnCode: 2,
      err: expect.stringContaining('failed to create new OS thread') as string,
    },
  },
  {
    wants: 'a daemon that outlives its parent',
    scripts: {
      python: `import os, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0: time.sleep(600)
    os._exit(0)
print("gone", flush=True)`,
      javascript: `require('node:child_process').spawn('sleep', ['600'], { detached: true, stdio: 'inherit' }).unref();
console.log('gone');`,
      bash: '(setsid bash -c "trap \'\' TERM HUP; while :; do sleep 1; done" &); echo gone',
      go: `package main
import ("fmt"; "os"; "os/exec"; "syscall")
func main() {
  daemon := exec.Command("sleep", "600")
  daemon.Stdout = os.Stdout
  daemon.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
  if err := daemon.Start(); err != nil { panic(err) }
  fmt.Println("gone")
}`,
    },
    everywhere: 'bash',
    meets: 'killed at the end of its run',
    expected: { ...DONE, out: 'gone\n' },
  },
  {
    wants: 'to stop itself',
    scripts: {
      python: 'import os\nprint("before"); os.kill(os.getpid(), 19); print("after")',
      javascript: 'console.log("before"); process.kill(process.pid, "SIGSTOP"); console.log("after")',
      bash: 'echo before; kill -STOP $$; echo after',
      // Stops its whole group, from the main thread, which the kernel stops before it continues.
      go: `package main
import ("fmt"; "runtime"; "syscall")
func init() { runtime.LockOSThread() }
func main() { fmt.Println("before"); syscall.Kill(0, syscall.SIGSTOP); fmt.Println("after") }`,
    },
    begun: told,
    everywhere: 'bash',
    meets: 'the timeout',
    expected: { ...TIMEOUT, out: 'before\n' },
  },
  {
    wants: 'to ignore signals',
    scripts: {
      python: `import signal, time
for number in range(1, 65):
    try: signal.signal(number, signal.SIG_IGN)
    except (OSError, ValueError): pass
print("before", flush=True)
while True: time.sleep(60)`,
      javascript: `for (const name of Object.keys(require('node:os').constants.signals))
  try { process.on(name, () => {}); } catch {}
console.log('before'); setInterval(() => {}, 60_000)`,
      bash: 'trap "" $(seq 1 64); echo before; while :; do sleep 60; done',
      go: `package main
import ("fmt"; "os/signal"; "time")
func main() { signal.Ignore(); fmt.Println("before"); for { time.Sleep(time.Minute) } }`,
    },
    begun: told,
    everywhere: 'python',
    meets: 'SIGKILL at the timeout',
    expected: { ...TIMEOUT, out: 'before\n' },
  },
  {
    wants: 'to sleep forever',
    scripts: {
      python: 'import time\nprint("before")\nwhile True: time.sleep(60)',
      javascript: 'console.log("before"); await new Promise(() => setInterval(() => {}, 60_000))',
      bash: 'echo before; exec sleep infinity',
      go: 'package main\nimport ("fmt"; "time")\nfunc main() { fmt.Println("before"); for { time.Sleep(time.Hour) } }',
    },
    begun: told,
    meets: 'the timeout',
    expected: { ...TIMEOUT, out: 'before\n' },
  },
  {
    wants: 'to spin',
    scripts: {
      python: 'print("before")\nwhile True: pass',
      javascript: 'console.log("before"); for (;;);',
      typescript: 'console.log("before"); const more: boolean = true;\nwhile (more);',
      bash: 'echo before; while :; do :; done',
      go: 'package main\nimport "fmt"\nfunc main() { fmt.Println("before"); for { } }',
    },
    begun: told,
    meets: 'its share of CPU, then the timeout',
    expected: { ...TIMEOUT, out: 'before\n' },
  },
];
