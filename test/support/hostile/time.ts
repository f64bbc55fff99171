import { DONE, type HostileProgram, PRINTING_MS, SHORT_MS, TIMEOUT } from './program.js';

/** Of the host's time and processes. */
export const TIME: readonly HostileProgram[] = [
  {
    wants: 'a fork bomb',
    scripts: {
      python: 'import os\nwhile True:\n  try: os.fork()\n  except OSError: pass',
      bash: ':(){ :|:& };:; while :; do :; done',
      javascript: `const { spawn } = require('node:child_process');
const more = () => { for (let n = 0; n < 20; n += 1) spawn('sleep', ['600'], { stdio: 'ignore' }).on('error', () => {}); };
setInterval(more, 5);`,
    },
    timeoutMs: SHORT_MS,
    meets: 'EAGAIN at its limit, then the timeout',
    expected: TIMEOUT,
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
    // Node's threads take 10 MB each: they are to be what runs out.
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
    expected: { reason: 'exit_code', returnCode: 2 },
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
    meets: 'death with its run',
    expected: { ...DONE, out: 'gone\n' },
  },
  {
    wants: 'to stop itself',
    scripts: {
      python: 'import os\nprint("before"); os.kill(os.getpid(), 19); print("after")',
      javascript: 'console.log("before"); process.kill(process.pid, "SIGSTOP"); console.log("after")',
      bash: 'echo before; kill -STOP $$; echo after',
    },
    timeoutMs: PRINTING_MS,
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
    },
    timeoutMs: PRINTING_MS,
    meets: 'SIGKILL at the timeout',
    expected: { ...TIMEOUT, out: 'before\n' },
  },
  {
    wants: 'to sleep for ever',
    scripts: {
      python: 'import time\nwhile True: time.sleep(60)',
      javascript: 'await new Promise(() => setInterval(() => {}, 60_000))',
      bash: 'exec sleep infinity',
    },
    timeoutMs: SHORT_MS,
    meets: 'the timeout',
    expected: TIMEOUT,
  },
  {
    wants: 'to spin',
    scripts: {
      python: 'while True: pass',
      javascript: 'for (;;);',
      typescript: 'const more: boolean = true;\nwhile (more);',
      bash: 'while :; do :; done',
    },
    timeoutMs: SHORT_MS,
    meets: 'its share of CPU, then the timeout',
    expected: TIMEOUT,
  },
  {
    wants: 'to spin',
    scripts: { go: 'package main\nfunc main() { for { } }' },
    timeoutMs: 10_000,
    meets: 'its share of CPU, then the timeout',
    expected: TIMEOUT,
  },
];
