import { DONE, type HostileProgram } from './program.js';

/** `call(number, …)` prints the result of a system call: `done`, or the errno's name. */
const SYSCALLS = `
import ctypes, errno, platform
libc = ctypes.CDLL(None, use_errno=True)
arm = 1 if platform.machine() == "aarch64" else 0
def call(numbers, *args):
    ctypes.set_errno(0)
    result = libc.syscall(ctypes.c_long(numbers[arm]), *[ctypes.c_long(a) for a in args])
    return "done" if result >= 0 else errno.errorcode[ctypes.get_errno()]
`;

interface Call {
  readonly wants: string;
  readonly numbers: readonly [x86: number, arm: number];
  readonly args: readonly number[];
}

const CALLS: readonly Call[] = [
  { wants: 'to mount', numbers: [165, 40], args: [0, 0, 0, 0, 0] },
  { wants: 'a namespace by unshare', numbers: [272, 97], args: [0x10000000] },
  { wants: 'a user namespace by clone', numbers: [56, 220], args: [0x10000000 | 17, 0, 0, 0, 0] },
  { wants: 'another process’s namespace', numbers: [308, 268], args: [0, 0] },
  { wants: 'to trace', numbers: [101, 117], args: [0, 0, 0, 0] },
  { wants: 'to read another process’s memory', numbers: [310, 270], args: [1, 0, 0, 0, 0, 0] },
  { wants: 'bpf', numbers: [321, 280], args: [0, 0, 0] },
  { wants: 'keys', numbers: [250, 219], args: [0, 0, 0, 0, 0] },
  { wants: 'io_uring', numbers: [425, 425], args: [1, 0] },
  { wants: 'userfaultfd', numbers: [323, 282], args: [0] },
  { wants: 'to see which pages the host has cached', numbers: [27, 232], args: [0, 0, 0] },
  { wants: 'to evict pages that others have read', numbers: [221, 223], args: [0, 0, 0, 4] },
  { wants: 'to flush the host’s pages', numbers: [277, 84], args: [0, 0, 0, 0] },
  { wants: 'another scheduling class', numbers: [144, 119], args: [0, 3, 0] },
  { wants: 'its pages merged with others’', numbers: [157, 167], args: [67, 1, 0, 0, 0] },
  { wants: 'perf events', numbers: [298, 241], args: [0, 0, -1, -1, 0] },
];

const refusedCall = ({ wants, numbers, args }: Call): HostileProgram => ({
  wants,
  scripts: { python: `${SYSCALLS}\nprint(call(${JSON.stringify(numbers)}, ${args.join(', ')}))` },
  meets: 'EPERM',
  expected: { ...DONE, out: 'EPERM\n' },
});

/** The same calls by Go's own system calls, without the C library: Go's threads have the same filter. */
const callsInGo = `package main
import ("fmt"; "runtime"; "syscall")
func main() {
  arm := map[string]int{"arm64": 1}[runtime.GOARCH]
  for _, call := range [][2][6]int64{${CALLS.map(({ numbers, args }) => `{{${numbers.join(', ')}}, {${args.join(', ')}}}`).join(', ')}} {
    a := call[1]
    _, _, errno := syscall.RawSyscall6(uintptr(call[0][arm]), uintptr(a[0]), uintptr(a[1]), uintptr(a[2]), uintptr(a[3]), uintptr(a[4]), uintptr(a[5]))
    if errno != syscall.EPERM { fmt.Println(call, errno) }
  }
  fmt.Println("tried")
}`;

const FOLDERS = '/ /etc /usr/bin /var/tmp /root /home /dev /sys /proc/sys/kernel /run';
const OF_PID_1 = 'mem environ fd/0 maps root cwd';
const listed = (words: string) => JSON.stringify(words.split(' '));

/** Programs that try to escape from their cell. */
export const ESCAPE: readonly HostileProgram[] = [
  {
    wants: 'to write to the root file system',
    scripts: {
      python: `for folder in ${listed(FOLDERS)}:
    try: open(folder + "/probe", "w"); print("wrote to", folder)
    except OSError: pass
print("tried")`,
      javascript: `for (const folder of ${listed(FOLDERS)})
  try { require('node:fs').writeFileSync(folder + '/probe', ''); console.log('wrote to', folder); } catch {}
console.log('tried');`,
      bash: `for folder in ${FOLDERS}; do { : >"$folder/probe"; } 2>/dev/null && echo "wrote to $folder"; done; echo tried`,
    },
    everywhere: 'bash',
    meets: 'a read-only root',
    expected: { ...DONE, out: 'tried\n' },
  },
  {
    wants: 'to set core_pattern',
    scripts: {
      python: `try: open("/proc/sys/kernel/core_pattern", "w").write("|/tmp/x"); print("set")
except OSError: print("refused")`,
      bash: '{ echo "|/tmp/x" >/proc/sys/kernel/core_pattern; } 2>/dev/null && echo set || echo refused',
    },
    everywhere: 'bash',
    meets: 'no /proc/sys',
    expected: { ...DONE, out: 'refused\n' },
  },
  {
    wants: 'to read and kill its supervisor',
    scripts: {
      python: `import os
for name in ${listed(OF_PID_1)}:
    try: os.open("/proc/1/" + name, os.O_RDONLY); print("opened", name)
    except OSError: pass
for number in (9, 19):
    try: os.kill(1, number)
    except OSError: pass
print("alive")`,
      javascript: `const fs = require('node:fs');
for (const name of ${listed(OF_PID_1)}) try { fs.openSync('/proc/1/' + name); console.log('opened', name); } catch {}
for (const signal of ['SIGKILL', 'SIGSTOP']) try { process.kill(1, signal); } catch {}
console.log('alive');`,
      bash: `for name in ${OF_PID_1}; do { : <"/proc/1/$name"; } 2>/dev/null && echo "opened $name"; done
kill -KILL 1; kill -STOP 1; echo alive`,
    },
    everywhere: 'python',
    meets: 'a PID 1 that it can neither read nor kill',
    expected: { ...DONE, out: 'alive\n' },
  },
  {
    wants: 'links, FIFOs and devices where the host might read',
    scripts: {
      python: `import os, stat
os.symlink("/etc/shadow", "link")
try: os.mkfifo("fifo")
except OSError: pass
try: os.mknod("device", stat.S_IFCHR, os.makedev(1, 3)); print("made a device")
except OSError: pass
try: os.link("/etc/passwd", "hard"); print("made a hard link")
except OSError: pass
print("tried")`,
      bash: `ln -s /etc/shadow link; mkfifo fifo; mknod device c 1 3 2>/dev/null && echo "made a device"
ln /etc/passwd hard 2>/dev/null && echo "made a hard link"; echo tried`,
    },
    everywhere: 'bash',
    meets: 'a host that reads no file of a cell',
    expected: { ...DONE, out: 'tried\n' },
  },
  {
    wants: 'a setuid binary',
    scripts: {
      bash: `find / -xdev -perm /6000 -type f 2>/dev/null; cp /usr/bin/id /tmp/id; chmod 4755 /tmp/id
[ "$(/tmp/id -u)" = "$(id -u)" ] && echo same`,
    },
    everywhere: 'bash',
    meets: 'no such binary, and its own has no effect',
    expected: { ...DONE, out: 'same\n' },
  },
  {
    wants: 'namespaces and mounts by system tools',
    scripts: {
      bash: `for tool in "unshare -Ur true" "unshare -m true" "nsenter -t 1 -m true" "mount -t tmpfs x /tmp"; do
  $tool 2>/dev/null && echo "did $tool"; done; echo tried`,
    },
    everywhere: 'bash',
    meets: 'EPERM',
    expected: { ...DONE, out: 'tried\n' },
  },
  ...CALLS.map(refusedCall),
  {
    wants: 'all of these calls, without the C library',
    scripts: { go: callsInGo },
    everywhere: 'go',
    meets: 'EPERM',
    expected: { ...DONE, out: 'tried\n' },
  },
];
