import { TestSandbox } from '../../support/docker.js';
import { RUNTIMES } from '../../support/runtimes.js';
import { DENIED_CALLS, SYSCALLS } from '../../support/syscalls.js';

describe.each(RUNTIMES)('on %s', (runtime) => {
  let box: TestSandbox;

  beforeAll(async () => {
    box = await TestSandbox.create({ runtime });
  });
  afterEach(() => box.expectNoContainers());
  afterAll(() => box.sandbox.close());

  /** Runs Python that prints JSON. */
  async function observe(script: string): Promise<unknown> {
    const outcome = await box.run('python', script);
    expect(outcome.err).toBe('');
    return JSON.parse(outcome.out);
  }

  it('every system call that programs do not need fails with EPERM', async () => {
    const denied = await observe(`${SYSCALLS}
calls = json.loads('${JSON.stringify(DENIED_CALLS)}')
print(json.dumps({name: call(numbers[arm], 0, 0, 0, 0, 0) for name, numbers in calls.items() if numbers[arm] is not None}))`);
    expect(new Set(Object.values(denied as object))).toEqual(new Set(['EPERM']));
  });

  it('calls that programs can do without fail as if the kernel lacked them', async () => {
    const answers = await observe(`${SYSCALLS}
calls = {"membarrier": [324, 283], "splice": [275, 76], "tee": [276, 77], "vmsplice": [278, 75]}
print(json.dumps({name: call(numbers[arm], 0, 0, 0, 0, 0, 0) for name, numbers in calls.items()}))`);
    expect(answers).toEqual({ membarrier: 'ENOSYS', splice: 'EINVAL', tee: 'EINVAL', vmsplice: 'EINVAL' });
  });

  it('sockets open only in the families unix, inet and inet6, for TCP and UDP', async () => {
    const answers = await observe(
      `${SYSCALLS}
socket, socketpair = [41, 198][arm], [53, 199][arm]
kinds = {"stream": 1, "datagram": 2, "raw": 3, "rdm": 4, "seqpacket": 5, "dccp": 6, "packet": 10}
protocols = {"any": 0, "icmp": 1, "tcp": 6, "udp": 17, "dccp": 33, "sctp": 132, "udplite": 136, "raw": 255, "mptcp": 262}
opened, denied = [], set()
for family in range(46):
    for kind, number in kinds.items():
        for protocol, protocol_number in protocols.items():
            answer = call(socket, family, number, protocol_number)
            if answer == "done": opened.append([family, kind, protocol]); os.close(3)
            elif family in (1, 2, 10): denied.add((kind if family != 1 else "unix", answer))
            else: denied.add(("family", answer))
pairs = sorted({call(socketpair, family, 1, 0, ctypes.addressof((ctypes.c_int * 2)())) for family in range(46) if family != 1})
print(json.dumps([opened, sorted(denied), pairs]))`.replace('import ctypes,', 'import os, ctypes,'),
    );
    const [opened, denied, pairs] = answers as [unknown[], unknown[], unknown[]];
    const inet = [
      ['stream', 'any'],
      ['stream', 'tcp'],
      ['datagram', 'any'],
      ['datagram', 'udp'],
    ];
    // To the kernel a raw unix socket is a datagram socket; `icmp` has the number of PF_UNIX.
    const unix = ['stream', 'datagram', 'raw', 'seqpacket'].flatMap((kind) => [
      [1, kind, 'any'],
      [1, kind, 'icmp'],
    ]);
    expect(opened).toEqual([...unix, ...[2, 10].flatMap((family) => inet.map((rest) => [family, ...rest]))]);
    // EPERM comes from the profile: TCP with datagrams, UDP as a stream.
    expect(denied).toEqual([
      ['datagram', 'EPERM'],
      ['datagram', 'EPROTONOSUPPORT'],
      ['dccp', 'ESOCKTNOSUPPORT'],
      ['family', 'EAFNOSUPPORT'],
      ['packet', 'ESOCKTNOSUPPORT'],
      ['raw', 'EPERM'],
      ['rdm', 'ESOCKTNOSUPPORT'],
      ['seqpacket', 'ESOCKTNOSUPPORT'],
      ['stream', 'EPERM'],
      ['stream', 'EPROTONOSUPPORT'],
      ['unix', 'EPROTONOSUPPORT'],
      ['unix', 'ESOCKTNOSUPPORT'],
    ]);
    expect(pairs).toEqual(['EAFNOSUPPORT']);
  });

  it('socket options attach no program to the kernel, and change no socket’s kind', async () => {
    const answers = await observe(`
import errno, json, socket
own = socket.socket(); datagram = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
def option(socket_, level, number):
    try: socket_.setsockopt(level, number, bytes(16)); return "done"
    except OSError as error: return errno.errorcode[error.errno]
print(json.dumps({
  "programs": [option(own, 1, number) for number in (26, 50, 51, 52)],
  "kinds": [option(own, 6, 31), option(datagram, 17, 100)],
  "levels": sorted({option(own, level, number) for level in range(300) if level not in (0, 1, 6, 17, 41) for number in (1, 2, 64)}),
  "buffers": [option(own, 1, 7), option(own, 1, 8), own.getsockopt(1, 7) <= 32768, own.getsockopt(1, 8) <= 32768],
}))`);
    expect(answers).toEqual({
      programs: ['EPERM', 'EPERM', 'EPERM', 'EPERM'],
      kinds: ['EPERM', 'EPERM'],
      levels: ['ENOPROTOOPT'],
      buffers: ['done', 'done', true, true],
    });
  });

  it('no namespace can be created, neither by clone nor by clone3', async () => {
    const answers = await observe(`${SYSCALLS}
clone = [56, 220][arm]
flags = {"user": 0x10000000, "mount": 0x20000, "pid": 0x20000000, "net": 0x40000000, "ipc": 0x8000000, "uts": 0x4000000, "cgroup": 0x2000000}
print(json.dumps([sorted({call(clone, flag | 17, 0, 0, 0, 0) for flag in flags.values()}), call(435, 0, 0)]))`);
    expect(answers).toEqual([['EPERM'], 'ENOSYS']);
  });

  it.each([
    ['x32', 'libc.syscall(ctypes.c_long(0x40000000 + 39))', ['SIGSYS']],
    // mov eax, getpid; int 0x80; ret. A kernel without this entry sends SIGSEGV before any filter is consulted: in
    // either
    // case the call fails.
    ['32-bit', 'memory.write(b"\\xb8\\x14\\0\\0\\0\\xcd\\x80\\xc3"); function()', ['SIGSYS', 'SIGSEGV']],
  ])('the %s entry gives no access to the kernel', async (_, entry, signals) => {
    const outcome = await box.run(
      'python',
      `${SYSCALLS}
import mmap, os
if arm: os.kill(os.getpid(), 31) # It has no such entry.
memory = mmap.mmap(-1, 4096, prot=7)
function = ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(memory)))
${entry}`,
    );
    expect(outcome.reason).toBe('signal');
    expect(signals).toContain(outcome.signal);
  });

  it('a program has no capability, no new privileges, a filter, and its own uid', async () => {
    const script = `
import os, json
status = dict(line.rstrip("\\n").split(":\\t", 1) for line in open("/proc/self/status") if ":\\t" in line)
print(json.dumps([status["CapEff"], status["CapPrm"], status["CapBnd"], status["NoNewPrivs"], status["Seccomp"], os.getuid()]))`;
    const [first, second] = (await Promise.all([observe(script), observe(script)])) as [unknown[], unknown[]];
    const none = '0000000000000000';
    expect(first.slice(0, 5)).toEqual([none, none, none, '1', '2']);
    expect(first[5]).toBeGreaterThanOrEqual(100_000);
    expect(first[5]).not.toEqual(second[5]);
  });

  it('a setuid binary has no effect and cannot be made', async () => {
    const outcome = await box.run(
      'bash',
      `find / -xdev -perm /6000 -type f 2>/dev/null | head -3
cp /usr/bin/id /tmp/id; chmod 4755 /tmp/id; [ "$(/tmp/id -u)" = "$(id -u)" ] && echo same
chown 0 /tmp/id 2>/dev/null || echo refused`,
    );
    expect(outcome.out).toBe('same\nrefused\n');
  });

  it('the only network is the run’s own loopback, which it cannot change', async () => {
    const interfaces = await observe(`
import errno, fcntl, json, socket, struct
own = socket.socket()
names = [line.split(":")[0].strip() for line in open("/proc/self/net/dev") if ":" in line]
flags = struct.unpack("16sh", fcntl.ioctl(own, 0x8913, struct.pack("16sh", b"lo", 0)))[1] & 1
def change(request, argument):
    try: fcntl.ioctl(own, request, argument); return "done"
    except OSError as error: return errno.errorcode[error.errno]
print(json.dumps([names, flags, change(0x8914, struct.pack("16sh", b"lo", 0)), change(0x8916, struct.pack("16s16s", b"lo", bytes(16)))]))`);
    expect(interfaces).toEqual([['lo'], 1, 'EPERM', 'EPERM']);
  });

  it('only /tmp and /dev/shm are writable', async () => {
    const outcome = await box.run(
      'bash',
      `for folder in / /etc /usr/bin /var/tmp /root /home /dev /dev/mqueue /sys /sys/fs/cgroup/memory /proc /proc/sys/kernel /run; do
  { : >"$folder/probe"; } 2>/dev/null && echo "wrote to $folder"
done
for folder in /tmp /tmp/work /dev/shm; do echo 1 >"$folder/probe" && cat "$folder/probe"; done
echo core >/proc/sys/kernel/core_pattern`,
    );
    expect(outcome.out).toBe('1\n1\n1\n');
    // Everything outside a process's own files is hidden.
    expect(outcome.err).toMatch(/core_pattern: (No such file or directory|Permission denied)/);
    expect(outcome.returnCode).toBe(1);
  });

  it('/tmp is limited in bytes and in files', async () => {
    const outcome = await box.run(
      'python',
      `
import os
def fill(folder, size):
    try:
        with open(folder + "/big", "wb", 0) as file:
            for n in range(1000): file.write(bytes(size))
    except OSError as error: print(folder, error.strerror, n * size >> 20)
    os.unlink(folder + "/big")
fill("/tmp", 1 << 20)
try:
    for n in range(100000): os.close(os.open(f"/tmp/{n}", os.O_CREAT))
except OSError as error: print("inodes", error.strerror, n < 17000)`,
    );
    expect(outcome.err).toBe('');
    expect(outcome.out).toMatch(/^\/tmp No space left on device 6\d\ninodes No space left on device True\n$/);
  });

  it('PID 1 is closed to the program: its memory, descriptors, environment and signals', async () => {
    const outcome = await box.run(
      'bash',
      `for path in mem environ fd/0 fd/2 maps root; do { : <"/proc/1/$path"; } 2>/dev/null && echo "opened $path"; done
kill -KILL 1; kill -STOP 1; kill -SEGV 1
ls /proc/self/fd | wc -l
echo alive`,
    );
    // 0, 1, 2 and the folder that ls has open.
    expect(outcome.out).toBe('4\nalive\n');
    expect(outcome).toMatchObject({ reason: 'exit_code', returnCode: 0 });
  });

  it.each([
    ['python', 'import os\nwhile True:\n  try: os.fork()\n  except OSError: pass'],
    ['bash', ':(){ :|:& };:; while :; do :; done'],
  ] as const)('a cell survives a fork bomb in %s', async (language, bomb) => {
    const [bombed, neighbour] = await Promise.all([
      box.run(language, bomb, { timeoutMs: 1_500, limits: { memory_mb: 128, cpus: 0.5, pids: 64 } }),
      box.run('bash', 'echo fine'),
    ]);
    expect(bombed).toMatchObject({ reason: 'timeout', returnCode: null });
    expect(neighbour).toMatchObject({ out: 'fine\n', returnCode: 0 });
  });

  it('counts threads as processes', async () => {
    const outcome = await box.run(
      'python',
      `
import threading
stop = threading.Event()
count = 0
try:
    while True:
        threading.Thread(target=stop.wait).start(); count += 1
except RuntimeError as error: print(error, count < 64)
stop.set()`,
    );
    expect(outcome.out).toBe("can't start new thread True\n");
  });

  it('a run leaves nothing to the next one', async () => {
    await box.run('bash', 'echo secret >/tmp/left; echo secret >/dev/shm/left; (setsid sleep 600 &)');
    const next = await box.run('bash', 'ls -A /tmp /dev/shm; processes=(/proc/[0-9]*); echo ${#processes[@]}');
    // Its own shell: the init of its namespaces is hidden from it.
    expect(next.out).toBe('/dev/shm:\n\n/tmp:\nwork\n1\n');
  });
});
