import { DONE, type HostileProgram, OUT_OF_MEMORY } from './program.js';

/** `told(act)` prints the result of an action: `done`, or the errno's name. */
const TOLD = `import errno
def told(act):
    try: act(); return "done"
    except OSError as error: return errno.errorcode[error.errno]
`;

/** Requests that the host's kernel would serve outside the job's limits. */
export const HOST: readonly HostileProgram[] = [
  {
    wants: 'terminals',
    scripts: {
      python: `import os
try: os.openpty(); print("opened")
except OSError as error: print(os.listdir("/dev/pts"))`,
      javascript: `const fs = require('node:fs');
try { fs.openSync('/dev/ptmx', 'r+'); console.log('opened'); } catch { console.log(fs.readdirSync('/dev/pts')); }`,
      bash: '{ : <>/dev/ptmx; } 2>/dev/null && echo opened; echo [$(ls -A /dev/pts)]',
      go: `package main
import ("fmt"; "os")
func main() {
  if _, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0); err == nil { fmt.Println("opened") }
  names, _ := os.ReadDir("/dev/pts")
  fmt.Println(names)
}`,
    },
    everywhere: 'python',
    meets: 'no terminals',
    expected: { ...DONE, out: '[]\n' },
  },
  {
    wants: 'disk reads outside its memory limit',
    scripts: {
      python: `import fcntl, os
${TOLD}plain = os.open("/etc/passwd", os.O_RDONLY)
print(told(lambda: os.open("/usr/bin/env", os.O_RDONLY | os.O_DIRECT)), told(lambda: fcntl.fcntl(plain, fcntl.F_SETFL, os.O_DIRECT)))`,
      go: `package main
import ("fmt"; "os"; "syscall")
func main() {
  _, err := syscall.Open("/usr/local/go/VERSION", syscall.O_RDONLY|syscall.O_DIRECT, 0)
  file, _ := os.Open("/etc/passwd")
  _, _, set := syscall.Syscall(syscall.SYS_FCNTL, file.Fd(), syscall.F_SETFL, syscall.O_DIRECT)
  names := map[error]string{syscall.EINVAL: "EINVAL"}
  fmt.Println(names[err], names[set])
}`,
    },
    everywhere: 'python',
    meets: 'EINVAL for O_DIRECT',
    expected: { ...DONE, out: 'EINVAL EINVAL\n' },
  },
  {
    wants: 'writes to the host’s disk, by fsync',
    scripts: { bash: 'stat -f -c %T /etc/hosts /etc/hostname /etc/resolv.conf | sort -u; sync /etc/hosts' },
    meets: 'files in memory',
    expected: { ...DONE, out: 'tmpfs\n' },
  },
  {
    wants: 'the OOM killer to choose its supervisor',
    scripts: {
      python: `import os
try: open("/proc/self/oom_score_adj", "w").write("0")
except OSError as error: print(error.strerror, open("/proc/self/oom_score_adj").read(), end="")`,
      javascript: `const fs = require('node:fs');
const score = '/proc/self/oom_score_adj';
try { fs.writeFileSync(score, '0'); } catch { process.stdout.write('Read-only file system ' + fs.readFileSync(score)); }`,
      bash: '{ echo 0 >/proc/self/oom_score_adj; } 2>/dev/null || echo Read-only file system $(cat /proc/self/oom_score_adj)',
    },
    meets: 'a read-only /proc',
    expected: { ...DONE, out: 'Read-only file system 1000\n' },
  },
  {
    wants: 'to change its supervisor’s limits and CPUs',
    scripts: {
      python: `import os, resource
${TOLD}print(told(lambda: resource.prlimit(1, resource.RLIMIT_CPU, (1, 1))), told(lambda: os.sched_setaffinity(1, [0])),
  told(lambda: resource.prlimit(0, resource.RLIMIT_CPU, (60, 60))), told(lambda: os.sched_setaffinity(0, os.sched_getaffinity(0))))`,
      go: `package main
import ("fmt"; "syscall"; "unsafe")
func main() {
  limit, mask := [2]uint64{1, 1}, uint64(1)
  _, _, limits := syscall.RawSyscall6(syscall.SYS_PRLIMIT64, 1, 0, uintptr(unsafe.Pointer(&limit)), 0, 0, 0)
  _, _, cpus := syscall.RawSyscall(syscall.SYS_SCHED_SETAFFINITY, 1, 8, uintptr(unsafe.Pointer(&mask)))
  names := map[syscall.Errno]string{syscall.EPERM: "EPERM"}
  fmt.Println(names[limits], names[cpus], "done done")
}`,
    },
    everywhere: 'python',
    meets: 'EPERM, except for itself',
    expected: { ...DONE, out: 'EPERM EPERM done done\n' },
  },
  {
    wants: 'the host’s root to handle its core dumps',
    scripts: {
      python: `import resource
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
resource.prlimit(0, resource.RLIMIT_CORE, (0, 0))
print(*resource.getrlimit(resource.RLIMIT_CORE))`,
      go: `package main
import ("fmt"; "syscall"; "unsafe")
func main() {
  none, limit := [2]uint64{0, 0}, [2]uint64{}
  syscall.RawSyscall6(syscall.SYS_PRLIMIT64, 0, 4, uintptr(unsafe.Pointer(&none)), 0, 0, 0)
  syscall.RawSyscall6(syscall.SYS_PRLIMIT64, 0, 4, 0, uintptr(unsafe.Pointer(&limit)), 0, 0)
  fmt.Println(limit[0], limit[1])
}`,
    },
    everywhere: 'python',
    meets: 'a core limit of 1 that it cannot change',
    expected: { ...DONE, out: '1 1\n' },
  },
  {
    wants: 'kernel memory, by file locks',
    scripts: {
      // From the end of the file: the kernel then inserts each lock at the front, without a search.
      python: `import fcntl, struct
print("on", flush=True)
file = open("/tmp/locked", "w+b")
at = 1 << 40
while True:
  at -= 2
  fcntl.fcntl(file, fcntl.F_SETLK, struct.pack("hhqqi", fcntl.F_WRLCK, 0, at, 1, 0))`,
      go: `package main
import ("fmt"; "os"; "syscall")
func main() {
  fmt.Println("on")
  file, _ := os.Create("/tmp/locked")
  for at := int64(1) << 40; ; at -= 2 {
    syscall.FcntlFlock(file.Fd(), syscall.F_SETLK, &syscall.Flock_t{Type: syscall.F_WRLCK, Start: at, Len: 1})
  }
}`,
    },
    everywhere: 'python',
    meets: 'a limit of 4,096 locks',
    expected: { ...OUT_OF_MEMORY, out: 'on\n', notes: ['the limit of 4,096 locks of files was reached'] },
  },
  {
    wants: 'open file description locks',
    scripts: {
      python: `import fcntl, struct
${TOLD}file = open("/tmp/locked", "w+b")
lock = struct.pack("hhqqi", fcntl.F_WRLCK, 0, 0, 1, 0)
print({told(lambda: fcntl.fcntl(file, command, lock)) for command in (37, 38)}, told(lambda: fcntl.lockf(file, fcntl.LOCK_EX)))`,
    },
    everywhere: 'python',
    meets: 'EINVAL',
    expected: { ...DONE, out: "{'EINVAL'} done\n" },
  },
  {
    wants: 'locks that outlive their process',
    scripts: {
      // A process that shares its parent's file table (CLONE_FILES | SIGCHLD) and is not a thread of it.
      python: `import ctypes, errno, fcntl, os, struct
libc = ctypes.CDLL(None, use_errno=True)
file = open("/tmp/locked", "w+b")
child = libc.syscall({"x86_64": 56, "aarch64": 220}[os.uname().machine], 0x400 | 17, 0, 0, 0, 0)
if child == 0:
  fcntl.fcntl(file, fcntl.F_SETLK, struct.pack("hhqqi", fcntl.F_WRLCK, 0, 0, 1, 0))
  os._exit(0)
print(errno.errorcode[ctypes.get_errno()] if child < 0 else "a child")`,
      go: `package main
import ("fmt"; "syscall")
func main() {
  child, _, problem := syscall.RawSyscall6(syscall.SYS_CLONE, syscall.CLONE_FILES | uintptr(syscall.SIGCHLD), 0, 0, 0, 0, 0)
  if problem == 0 && child == 0 { syscall.RawSyscall(syscall.SYS_EXIT_GROUP, 0, 0, 0) }
  fmt.Println(map[bool]string{true: "EPERM", false: "a child"}[problem == syscall.EPERM])
}`,
    },
    everywhere: 'python',
    meets: 'EPERM, except for threads',
    expected: { ...DONE, out: 'EPERM\n' },
  },
  {
    wants: 'to identify its file system and disk',
    scripts: {
      python: `import fcntl, os
${TOLD}root, tmp = os.open("/usr", os.O_RDONLY), os.open("/tmp", os.O_RDONLY)
print({told(lambda: fcntl.ioctl(place, request, bytearray(512))) for place in (root, tmp) for request in (0xC0C0583B, 0x80111500, 0x80811501, 0x81009431)})`,
    },
    everywhere: 'python',
    meets: 'ENOTTY',
    expected: { ...DONE, out: "{'ENOTTY'}\n" },
  },
];
