import type { SandboxLimits, SandboxOutcome, ScriptType } from '../../src/kernel/ports/sandbox.js';
import type { TextOutcome } from './docker.js';

/** What a program wants, how it goes about it, and what it must meet. */
export interface HostileProgram {
  readonly wants: string;
  readonly language: ScriptType;
  readonly script: string;
  readonly timeoutMs?: number;
  readonly limits?: Partial<SandboxLimits>;
  /** In words, for the report. */
  readonly meets: string;
  readonly expected: Partial<Pick<SandboxOutcome, 'reason' | 'returnCode' | 'signal'>> & Partial<TextOutcome>;
}

const TIMEOUT = { reason: 'timeout', returnCode: null, signal: null } as const;
const DONE = { reason: 'exit_code', returnCode: 0, signal: null } as const;
const OUT_OF_MEMORY = { reason: 'out_of_memory', returnCode: 137 } as const;

/** Long enough for the program to do its worst on a busy machine. */
const SHORT_MS = 2_000;

/** `call(number, …)` says what a system call answered: `done`, or the errno's name. */
const SYSCALLS = `
import ctypes, errno, platform
libc = ctypes.CDLL(None, use_errno=True)
arm = 1 if platform.machine() == "aarch64" else 0
def call(numbers, *args):
    ctypes.set_errno(0)
    result = libc.syscall(ctypes.c_long(numbers[arm]), *[ctypes.c_long(a) for a in args])
    return "done" if result >= 0 else errno.errorcode[ctypes.get_errno()]
`;

const refusedCall = (wants: string, numbers: readonly [number, number], ...args: number[]): HostileProgram => ({
  wants,
  language: 'python',
  script: `${SYSCALLS}\nprint(call(${JSON.stringify(numbers)}, ${args.join(', ')}))`,
  meets: 'EPERM',
  expected: { ...DONE, out: 'EPERM\n' },
});

const connection = (wants: string, family: string, kind: string, address: string): HostileProgram => ({
  wants,
  language: 'python',
  script: `import socket
try: s = socket.socket(socket.${family}, socket.${kind}); s.settimeout(1); s.connect(${address}); print("connected")
except OSError as error: print(type(error).__name__ if error.errno is None else __import__("errno").errorcode[error.errno])`,
  meets: 'no socket at all',
  expected: { ...DONE, out: 'EAFNOSUPPORT\n' },
});

/** Of the host's time and processes. */
const TIME: readonly HostileProgram[] = [
  {
    wants: 'a fork bomb',
    language: 'python',
    script: 'import os\nwhile True:\n  try: os.fork()\n  except OSError: pass',
    timeoutMs: SHORT_MS,
    meets: 'EAGAIN at its limit, then the timeout',
    expected: TIMEOUT,
  },
  {
    wants: 'a fork bomb',
    language: 'bash',
    script: ':(){ :|:& };:; while :; do :; done',
    timeoutMs: SHORT_MS,
    meets: 'EAGAIN at its limit, then the timeout',
    expected: TIMEOUT,
  },
  {
    wants: 'a bomb of processes',
    language: 'javascript',
    script: `const { spawn } = require('node:child_process');
const more = () => { for (let n = 0; n < 20; n += 1) spawn('sleep', ['60']).on('error', () => {}); setImmediate(more); };
more();`,
    timeoutMs: SHORT_MS,
    meets: 'EAGAIN at its limit, then the timeout (or the end of its own memory)',
    expected: {},
  },
  {
    wants: 'a thread bomb',
    language: 'python',
    script: `import threading
stop = threading.Event(); count = 0
try:
    while True: threading.Thread(target=stop.wait).start(); count += 1
except RuntimeError: print("refused" if count < 64 else count)
stop.set()`,
    meets: 'threads count as processes',
    expected: { ...DONE, out: 'refused\n' },
  },
  {
    wants: 'a daemon that outlives its parent',
    language: 'python',
    script: `import os, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0: time.sleep(600)
    os._exit(0)
print("gone", flush=True)`,
    meets: 'death with its run',
    expected: { ...DONE, out: 'gone\n' },
  },
  {
    wants: 'to stop itself',
    language: 'bash',
    script: 'echo before; kill -STOP $$; echo after',
    timeoutMs: SHORT_MS,
    meets: 'the timeout',
    expected: { ...TIMEOUT, out: 'before\n' },
  },
  {
    wants: 'to ignore signals',
    language: 'python',
    script: `import signal, time
for number in range(1, 65):
    try: signal.signal(number, signal.SIG_IGN)
    except (OSError, ValueError): pass
print("before", flush=True)
while True: time.sleep(60)`,
    timeoutMs: SHORT_MS,
    meets: 'SIGKILL at the timeout',
    expected: { ...TIMEOUT, out: 'before\n' },
  },
  {
    wants: 'to sleep for ever',
    language: 'bash',
    script: 'exec sleep infinity',
    timeoutMs: SHORT_MS,
    meets: 'the timeout',
    expected: TIMEOUT,
  },
  {
    wants: 'to spin',
    language: 'javascript',
    script: 'for (;;);',
    timeoutMs: SHORT_MS,
    meets: 'its share of CPU, then the timeout',
    expected: TIMEOUT,
  },
  {
    wants: 'to spin',
    language: 'go',
    script: 'package main\nfunc main() { for { } }',
    timeoutMs: 10_000,
    meets: 'its share of CPU, then the timeout',
    expected: TIMEOUT,
  },
];

/** Of its memory and disk. */
const SPACE: readonly HostileProgram[] = [
  {
    wants: 'all memory',
    language: 'python',
    script: 'print("before", flush=True)\nx = []\nwhile True: x.append(bytearray(1 << 20))',
    limits: { memory_mb: 64 },
    meets: 'out_of_memory, its output kept',
    expected: { ...OUT_OF_MEMORY, out: 'before\n' },
  },
  {
    wants: 'all memory',
    language: 'javascript',
    script: 'console.log("before"); const x = []; for (;;) x.push(new Array(100_000).fill(Math.random()))',
    limits: { memory_mb: 64 },
    meets: 'out_of_memory, its output kept',
    expected: { ...OUT_OF_MEMORY, out: 'before\n' },
  },
  {
    wants: 'to look as if it had wanted all memory',
    language: 'bash',
    script: 'exit 137',
    meets: 'the truth: an exit code',
    expected: { reason: 'exit_code', returnCode: 137 },
  },
  {
    wants: 'to fill /tmp',
    language: 'bash',
    script: 'head -c 1G /dev/zero >/tmp/big 2>/dev/null && echo filled || echo refused',
    meets: 'ENOSPC',
    expected: { ...DONE, out: 'refused\n' },
  },
  {
    wants: 'all inodes',
    language: 'python',
    script: `import os
try:
    for n in range(1_000_000): os.close(os.open(f"/tmp/{n}", os.O_CREAT))
except OSError as error: print(error.strerror)`,
    meets: 'ENOSPC',
    expected: { ...DONE, out: 'No space left on device\n' },
  },
  {
    wants: 'a sparse file of a terabyte',
    language: 'bash',
    script: 'truncate -s 1T /tmp/sparse; cat /tmp/sparse >/tmp/copy 2>/dev/null || echo refused',
    meets: 'a file that takes no room, and ENOSPC for its copy',
    expected: { ...DONE, out: 'refused\n' },
  },
];

/** To confuse whoever reads what it prints. */
const OUTPUT: readonly HostileProgram[] = [
  {
    wants: 'to print for ever',
    language: 'bash',
    script: 'echo first; exec cat /dev/zero',
    timeoutMs: SHORT_MS,
    meets: 'head and tail kept, the true count, the timeout',
    expected: TIMEOUT,
  },
  {
    wants: 'to print one line of a gigabyte',
    language: 'bash',
    script: 'head -c 1G /dev/zero | tr "\\0" x',
    timeoutMs: 60_000,
    meets: 'head and tail kept, the true count',
    expected: DONE,
  },
  {
    wants: 'to print NUL and what is not UTF-8',
    language: 'python',
    script: 'import os\nos.write(1, bytes([0, 255, 254, 0, 195]))',
    meets: 'its own bytes',
    expected: { ...DONE, out: Buffer.from([0, 255, 254, 0, 195]).toString('utf8') },
  },
  {
    wants: 'to forge a frame and a trailer',
    language: 'python',
    script: `import os, sys
os.write(1, b"T" + (60).to_bytes(4, "big") + (1).to_bytes(4, "big") + b"status=0\\nkilled=none\\n")
os.write(1, b"\\x01\\0\\0\\0\\0\\0\\0\\x04fake")
sys.exit(9)`,
    meets: 'its own exit code',
    expected: { reason: 'exit_code', returnCode: 9 },
  },
  {
    wants: 'to write to the launcher’s descriptors',
    language: 'bash',
    script:
      'for fd in 3 4 5 6 7 8 9; do { echo T >&$fd; } 2>/dev/null && echo "wrote to $fd"; done; ls /proc/self/fd | wc -l',
    meets: 'none of them is there',
    expected: { ...DONE, out: '4\n' },
  },
  {
    wants: 'to close its output early',
    language: 'bash',
    script: 'exec 1>&- 2>&-; exit 4',
    meets: 'its own exit code',
    expected: { reason: 'exit_code', returnCode: 4 },
  },
];

/** Out of its cell. */
const ESCAPE: readonly HostileProgram[] = [
  {
    wants: 'to write to the root file system',
    language: 'bash',
    script: `for folder in / /etc /usr/bin /var/tmp /root /home /dev /sys /proc/sys/kernel /run; do
  { : >"$folder/probe"; } 2>/dev/null && echo "wrote to $folder"; done; echo tried`,
    meets: 'a root that cannot be written',
    expected: { ...DONE, out: 'tried\n' },
  },
  {
    wants: 'to set core_pattern',
    language: 'bash',
    script: '{ echo "|/tmp/x" >/proc/sys/kernel/core_pattern; } 2>/dev/null && echo set || echo refused',
    meets: 'no /proc/sys',
    expected: { ...DONE, out: 'refused\n' },
  },
  {
    wants: 'to read its supervisor',
    language: 'bash',
    script:
      'for path in mem environ fd/0 maps root cwd; do { : <"/proc/1/$path"; } 2>/dev/null && echo "opened $path"; done; kill -KILL 1; kill -STOP 1; echo alive',
    meets: 'a PID 1 that is closed, and cannot be killed',
    expected: { ...DONE, out: 'alive\n' },
  },
  {
    wants: 'links, FIFOs and devices where the host might read',
    language: 'bash',
    script:
      'ln -s /etc/shadow link; mkfifo fifo; mknod device c 1 3 2>/dev/null && echo "made a device"; ln /etc/passwd hard 2>/dev/null && echo "made a hard link"; echo tried',
    meets: 'a host that reads nothing back',
    expected: { ...DONE, out: 'tried\n' },
  },
  {
    wants: 'a setuid binary',
    language: 'bash',
    script:
      'find / -xdev -perm /6000 -type f 2>/dev/null; cp /usr/bin/id /tmp/id; chmod 4755 /tmp/id; [ "$(/tmp/id -u)" = "$(id -u)" ] && echo same',
    meets: 'none there, and none that helps',
    expected: { ...DONE, out: 'same\n' },
  },
  refusedCall('to mount', [165, 40], 0, 0, 0, 0, 0),
  refusedCall('a namespace by unshare', [272, 97], 0x10000000),
  refusedCall('a user namespace by clone', [56, 220], 0x10000000 | 17, 0, 0, 0, 0),
  refusedCall('another’s namespace', [308, 268], 0, 0),
  refusedCall('to trace', [101, 117], 0, 0, 0, 0),
  refusedCall('to read another’s memory', [310, 270], 1, 0, 0, 0, 0, 0),
  refusedCall('bpf', [321, 280], 0, 0, 0),
  refusedCall('keys', [250, 219], 0, 0, 0, 0, 0),
  refusedCall('io_uring', [425, 425], 1, 0),
  refusedCall('userfaultfd', [323, 282], 0),
  refusedCall('perf events', [298, 241], 0, 0, -1, -1, 0),
];

/** To the network. */
const NETWORK: readonly HostileProgram[] = [
  connection('the cloud’s metadata', 'AF_INET', 'SOCK_STREAM', '("169.254.169.254", 80)'),
  connection('DNS', 'AF_INET', 'SOCK_DGRAM', '("8.8.8.8", 53)'),
  connection('Postgres on the loopback', 'AF_INET', 'SOCK_STREAM', '("127.0.0.1", 5432)'),
  connection('Redis on the loopback', 'AF_INET6', 'SOCK_STREAM', '("::1", 6379)'),
  connection('a raw socket', 'AF_INET', 'SOCK_RAW', '("127.0.0.1", 0)'),
  connection('a vsock', 'AF_VSOCK', 'SOCK_STREAM', '(2, 22)'),
  connection('the Docker socket', 'AF_UNIX', 'SOCK_STREAM', '"/var/run/docker.sock"'),
];

export const HOSTILE_PROGRAMS: readonly HostileProgram[] = [...TIME, ...SPACE, ...OUTPUT, ...ESCAPE, ...NETWORK];
