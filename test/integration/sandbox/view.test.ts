import { randomUUID } from 'node:crypto';
import { availableParallelism } from 'node:os';

import type { ScriptType } from '../../support/declared-runtimes.js';
import { TestSandbox } from '../../support/docker.js';
import { RUNTIMES } from '../../support/runtimes.js';
import { SAYS_LIMITS, SAYS_USER, USER_SAID } from '../../support/view-programs.js';

const LANGUAGES: readonly ScriptType[] = ['python', 'javascript', 'typescript', 'bash', 'go'];

interface Said {
  readonly cpus: readonly number[];
  readonly memoryMb?: readonly number[];
  readonly cgroup?: readonly string[];
}

/** One user, so that one cell for each image and limits runs all tests. */
const userId = randomUUID();

describe.each(RUNTIMES)('on %s', (runtime) => {
  let box: TestSandbox;

  beforeAll(async () => {
    box = await TestSandbox.create({ runtime });
  });
  afterAll(async () => {
    await box.expectNoContainers();
    await box.sandbox.close();
  });

  const look = async (language: ScriptType, limits: { memory_mb: number; cpus: number; pids: number }) => {
    const outcome = await box.run(language, SAYS_LIMITS[language], { userId, limits });
    expect(outcome).toMatchObject({ err: '', returnCode: 0 });
    return JSON.parse(outcome.out) as Said;
  };

  describe.each(LANGUAGES)('%s', (language) => {
    it.each([
      [{ memory_mb: 192, cpus: 1, pids: 64 }, 1],
      [{ memory_mb: 256, cpus: 0.5, pids: 64 }, 1],
      [{ memory_mb: 256, cpus: 1.5, pids: 64 }, 2],
    ])('sees the CPUs and the memory of its limits: %j', async (limits, cpus) => {
      const said = await look(language, limits);
      const expected = Math.min(cpus, availableParallelism());
      expect(new Set(said.cpus)).toEqual(new Set([expected]));
      expect(new Set(said.memoryMb ?? [limits.memory_mb])).toEqual(new Set([limits.memory_mb]));
    });

    it('runs as the user `runner`, with the home /tmp', async () => {
      expect(await box.run(language, SAYS_USER[language], { userId })).toMatchObject({
        out: USER_SAID[language],
        err: '',
        returnCode: 0,
      });
    });
  });

  it('finds its limits in cgroup v2', async () => {
    const said = await look('python', { memory_mb: 192, cpus: 0.5, pids: 33 });
    expect(said.cgroup).toEqual(['50000 100000', '33', '0']);
  });

  it('finds consistent numbers in /proc', async () => {
    const { out } = await box.run(
      'python',
      `
import os, time
first, second = map(float, open("/proc/uptime").read().split())
stat = dict(line.split(None, 1) for line in open("/proc/stat"))
meminfo = {name: int(rest.split()[0]) for name, rest in (line.split(":") for line in open("/proc/meminfo"))}
started = int(open("/proc/self/stat").read().rsplit(")", 1)[1].split()[19]) / os.sysconf("SC_CLK_TCK")
print(second == first, abs(int(stat["btime"]) + first - time.time()) < 3600, started - first < 3600)
print(stat["cpu"].split() == stat["cpu0"].split(), 0 < meminfo["MemAvailable"] <= meminfo["MemFree"] < meminfo["MemTotal"], meminfo["SwapTotal"])
print(open("/proc/loadavg").read(), end="")`,
      { userId },
    );
    expect(out).toBe('True True True\nTrue True 0\n0.00 0.00 0.00 1/1 1\n');
  });

  it('divides its work by the CPUs it has (field case 13)', async () => {
    const script = `const workers = require('node:os').cpus().length;
const size = Math.ceil(1000 / workers);
let sum = 0;
for (let w = 0; w < workers; w++) for (let i = w * size; i < Math.min(1000, (w + 1) * size); i++) sum += i;
console.log(workers, sum);`;
    expect((await box.run('javascript', script, { userId })).out).toBe('1 499500\n');
  });

  it('keeps the environment variables that the user sets', async () => {
    const env = { USER: 'ada', LOGNAME: 'ada', HOME: '/tmp/work' };
    const { out } = await box.run('bash', 'echo "$USER $LOGNAME" ~; whoami', { userId, input: { env } });
    expect(out).toBe('ada ada /tmp/work\nrunner\n');
  });

  it('sees only processes and the version in /proc, and can change nothing there', async () => {
    const { out, err } = await box.run(
      'bash',
      `cd /proc
for name in *; do case $name in [0-9]*|self|thread-self|net|mounts|version|cpuinfo|stat|meminfo|uptime|loadavg) ;;
  *) [ -d $name ] && find $name -mindepth 1 || head -c 1 $name ;; esac; done
for path in /proc/{cpuinfo,meminfo,stat,sys,kcore,sysrq-trigger,keys} $(find /sys -type f) /etc/{passwd,group,hosts}; do
  [ -e $path ] || continue
  { chmod u+w $path || rm -f $path || mv $path /tmp/x || : >>$path; } 2>/dev/null && echo "changed $path"; done
for folder in /proc /proc/sys $(find /sys -type d); do { mkdir $folder/x || : >$folder/x; } 2>/dev/null && echo "made $folder/x"; done
umount /proc/cpuinfo 2>/dev/null && echo unmounted
echo tried`,
      { userId },
    );
    expect({ out, err }).toEqual({ out: 'tried\n', err: '' });
  });

  it('may use as much shared memory as it has memory, and ends as out_of_memory beyond it', async () => {
    const limits = { memory_mb: 128, cpus: 1, pids: 64 };
    const usual = await box.run(
      'python',
      `from multiprocessing import shared_memory
block = shared_memory.SharedMemory(create=True, size=80 << 20)
for at in range(0, 80 << 20, 1 << 20): block.buf[at : at + (1 << 20)] = bytes([1]) * (1 << 20)
print(sum(block.buf[:: 1 << 20]))
block.close(); block.unlink()`,
      { userId, limits },
    );
    expect(usual).toMatchObject({ out: '80\n', err: '', returnCode: 0 });
    const mapped = `import mmap, os
print("before", flush=True)
file = os.open("/dev/shm/large", os.O_CREAT | os.O_RDWR)
os.ftruncate(file, 130 << 20)
memory = mmap.mmap(file, 130 << 20)
for at in range(0, 130 << 20, 4096): memory[at] = 1
print("all of it")`;
    const written = `print("before", flush=True)
with open("/dev/shm/large", "wb", 0) as file:
    while True: file.write(bytes(1 << 20))`;
    for (const script of [mapped, written]) {
      const large = await box.run('python', script, { userId, limits });
      expect(large).toMatchObject({ reason: 'out_of_memory', returnCode: 137, out: 'before\n', err: '' });
    }
    expect(await box.run('python', 'print("on")', { userId, limits })).toMatchObject({ out: 'on\n' });
  });
});
