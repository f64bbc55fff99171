import { randomUUID } from 'node:crypto';

import { pino } from 'pino';

import { Unavailable } from '../../../src/kernel/errors.js';
import { DockerSandbox } from '../../../src/sandbox/docker-sandbox.js';
import { expectNoContainers, job, sandboxOptions, TestSandbox } from '../../support/docker.js';
import { eventually } from '../../support/eventually.js';
import { HOST } from '../../support/hostile/host.js';
import { withoutCall } from '../../support/seccomp.js';

interface LogLine {
  readonly level: number;
  readonly msg: string;
  readonly err?: { readonly message: string };
}

const ERROR = 50;
async function refusing(call: string, poolSize = 0) {
  const lines: LogLine[] = [];
  const log = pino({ level: 'warn' }, { write: (line: string) => lines.push(JSON.parse(line) as LogLine) });
  const box = await TestSandbox.create({ seccompProfile: withoutCall(call), log, poolSize });
  return { box, errors: () => lines.filter(({ level }) => level === ERROR) };
}

it.each([
  ['mount', 'isolation: private mounts'],
  ['clone', 'isolation: clone'],
  ['sethostname', 'isolation: sethostname'],
])('if a host refuses %s every run gets its own container, and one log line says so', async (call, why) => {
  const { box, errors } = await refusing(call);
  const userId = randomUUID();
  const first = await box.run('python', 'import os; print(os.getuid()); os._exit(3)', { userId });
  expect(first).toMatchObject({ reason: 'exit_code', returnCode: 3 });
  const next = await box.run('python', 'import os; print(os.getuid(), os.listdir("/tmp"))', { userId });
  expect(next.out).toMatch(/^\d+ \['work'\]\n$/);
  expect(next.out.split(' ')[0]).not.toBe(first.out.trim());
  expect(box.sandbox.figures).toMatchObject({ resting: 0, busy: 0 });
  expect(errors()).toHaveLength(1);
  expect(errors()[0]!.msg).toContain('refuses nested namespaces');
  expect(errors()[0]!.err!.message).toContain(why);
  await box.sandbox.close();
  await box.expectNoContainers();
});

describe('without namespaces', () => {
  let box: TestSandbox;
  beforeAll(async () => {
    ({ box } = await refusing('mount'));
    await box.run('bash', 'true');
  });
  afterEach(() => box.expectNoContainers());
  afterAll(() => box.sandbox.close());

  it('a run still ends with its program and at its timeout', async () => {
    const daemon = 'setsid bash -c "trap \'\' TERM; while :; do sleep 1; done" & disown; echo out';
    expect(await box.run('bash', `${daemon}; exit 6`)).toMatchObject({ returnCode: 6, out: 'out\n' });
    const late = await box.run('bash', `${daemon}; trap "" TERM; wait; sleep 600`, { timeoutMs: 5_000 });
    expect(late).toMatchObject({ reason: 'timeout', out: 'out\n' });
  });

  it.each(HOST.filter(({ everywhere }) => everywhere === 'python'))('$wants: $meets', async ({ scripts, expected }) =>
    expect(await box.run('python', scripts.python!)).toMatchObject(expected),
  );

  it('concurrent runs are still separate, and lack of memory is still reported', async () => {
    const hog = 'print("before", flush=True)\nx = []\nwhile True: x.append(bytearray(1 << 20))';
    const [large, neighbour] = await Promise.all([
      box.run('python', hog, { limits: { memory_mb: 64, cpus: 1, pids: 64 } }),
      box.run('bash', 'cat; ls -A /tmp', { input: { stdin: Buffer.from('in\n') } }),
    ]);
    expect(large).toMatchObject({ reason: 'out_of_memory', out: 'before\n' });
    expect(neighbour).toMatchObject({ returnCode: 0, out: 'in\nwork\n' });
  });

  it('the user has a name and its CPUs, and sockets reach its own processes only', async () => {
    const script = `
import errno, getpass, multiprocessing, os, socket
print(getpass.getuser(), os.path.expanduser("~"), len(os.sched_getaffinity(0)))
if __name__ == "__main__":
    with multiprocessing.Manager() as manager: print(manager.dict(a=1))
server = socket.create_server(("127.0.0.1", 0)); client = socket.create_connection(server.getsockname())
print(client.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) <= 32768)
for address in (("127.0.0.1", ${process.env['DB_PORT']}), ("169.254.169.254", 80)):
    try: socket.create_connection(address, 5); print("connected")
    except OSError as error: print(errno.errorcode[error.errno])
try: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)
except OSError as error: print(errno.errorcode[error.errno])`;
    expect(await box.run('python', script)).toMatchObject({
      err: '',
      out: "runner /tmp 1\n{'a': 1}\nTrue\nECONNREFUSED\nENETUNREACH\nEAFNOSUPPORT\n",
    });
  });

  it('/dev/shm may be as large as the memory', async () => {
    const script = 'b = open("/dev/shm/x", "wb", 0)\nfor n in range(200): b.write(bytes(1 << 20))';
    const parts = { limits: { memory_mb: 64, cpus: 1, pids: 64 } };
    expect(await box.run('python', script, parts)).toMatchObject({ reason: 'out_of_memory' });
    expect(await box.run('python', script)).toMatchObject({ returnCode: 0, err: '' });
  });

  it('Docker hides what the launcher does not hide', async () => {
    const { out, err } = await box.run('bash', 'cat /proc/keys | head -c 10; echo x >/proc/sys/kernel/core_pattern');
    expect(out).toBe('');
    expect(err).toContain('Read-only file system');
  });
});

it('each cell of the pool serves one run', async () => {
  const { box, errors } = await refusing('clone', 1);
  box.sandbox.start();
  await eventually(() => expect(box.sandbox.figures).toMatchObject({ ready: 4, refilling: 0 }), { timeoutMs: 45_000 });
  const { coldStarts } = box.sandbox.figures;
  const outcome = await box.run('bash', 'cat /proc/self/status | grep Seccomp:; : >/proc/sys/kernel/core_pattern');
  expect(outcome).toMatchObject({ out: 'Seccomp:\t2\n' });
  expect(outcome.err).toContain('Read-only file system');
  expect(box.sandbox.figures).toMatchObject({ resting: 0, coldStarts });
  expect(errors()).toHaveLength(1);
  await box.sandbox.close();
  await box.expectNoContainers();
});

describe('a host that refuses temporarily', () => {
  const host = { refuses: true };
  const open = async (isNestingRequired: boolean) => {
    host.refuses = true;
    const options = await sandboxOptions({ isNestingRequired, isolationRetestMs: 1, poolSize: 1 });
    const [allowed, refused] = [options.seccompProfile, withoutCall('mount')];
    // Read for each new cell, like the host's own rules.
    Object.defineProperty(options, 'seccompProfile', { get: () => (host.refuses ? refused : allowed) });
    const sandbox = new DockerSandbox(options);
    const run = async () =>
      sandbox.run(job('bash', 'ls -A /sys | wc -l', { userId: USER }), { signal: new AbortController().signal });
    const close = async () => {
      await sandbox.close();
      await expectNoContainers(options.workerId);
    };
    return { sandbox, run, close };
  };
  const USER = randomUUID();

  it('is tested again, and later runs are nested', async () => {
    const { sandbox, run, close } = await open(false);
    sandbox.start();
    await run();
    expect(sandbox.figures.resting).toBe(0);
    host.refuses = false;
    await eventually(async () => {
      expect(await sandbox.health()).toMatchObject({ healthy: true });
      await run();
      // Only a nested cell is kept for its user's next job.
      expect(sandbox.figures.resting).toBe(1);
    });
    await close();
  });

  it('runs nothing if namespaces are required, and the attempt does not count', async () => {
    const { sandbox, run, close } = await open(true);
    await expect(run()).rejects.toMatchObject({ countsAsAttempt: false, cause: expect.any(Unavailable) as unknown });
    expect(await sandbox.health()).toMatchObject({
      healthy: false,
      detail: expect.stringContaining('EXECUTOR_ISOLATION_REQUIRED') as string,
    });
    await expect(run()).rejects.toMatchObject({ countsAsAttempt: false });
    host.refuses = false;
    await eventually(async () => expect(await sandbox.health()).toMatchObject({ healthy: true }));
    expect(await run()).toMatchObject({ returnCode: 0 });
    await close();
  });
});
