/** System call numbers of x86_64 and aarch64; null where the architecture has none. */
export const DENIED_CALLS: Record<string, readonly [number | null, number | null]> = {
  ptrace: [101, 117],
  process_vm_readv: [310, 270],
  process_vm_writev: [311, 271],
  mount: [165, 40],
  umount2: [166, 39],
  pivot_root: [155, 41],
  mount_setattr: [442, 442],
  open_tree: [428, 428],
  fsopen: [430, 430],
  move_mount: [429, 429],
  chroot: [161, 51],
  unshare: [272, 97],
  setns: [308, 268],
  sethostname: [170, 161],
  setdomainname: [171, 162],
  pidfd_getfd: [438, 438],
  keyctl: [250, 219],
  add_key: [248, 217],
  request_key: [249, 218],
  bpf: [321, 280],
  io_uring_setup: [425, 425],
  io_uring_enter: [426, 426],
  userfaultfd: [323, 282],
  perf_event_open: [298, 241],
  seccomp: [317, 277],
  personality: [135, 92],
  init_module: [175, 105],
  kexec_load: [246, 104],
  reboot: [169, 142],
  swapon: [167, 224],
  syslog: [103, 116],
  acct: [163, 89],
  mknodat: [259, 33],
  open_by_handle_at: [304, 265],
  fanotify_init: [300, 262],
  shmget: [29, 194],
  msgget: [68, 186],
  semget: [64, 190],
  mq_open: [240, 180],
  settimeofday: [164, 170],
  clock_settime: [227, 112],
  modify_ldt: [154, null],
  iopl: [172, null],
  mincore: [27, 232],
  fadvise64: [221, 223],
  readahead: [187, 213],
  sync_file_range: [277, 84],
  sched_setscheduler: [144, 119],
  sched_setattr: [314, 274],
  setpriority: [141, 140],
  ioprio_set: [251, 30],
};

/** Python: `call(number, …)` returns the name of the error, or `done`; `arm` selects a number of the two. */
export const SYSCALLS = `
import ctypes, errno, json, platform
libc = ctypes.CDLL(None, use_errno=True)
arm = 1 if platform.machine() == "aarch64" else 0
def call(number, *args):
    ctypes.set_errno(0)
    result = libc.syscall(ctypes.c_long(number), *[ctypes.c_long(a) for a in args])
    return "done" if result >= 0 else errno.errorcode[ctypes.get_errno()]
`;
