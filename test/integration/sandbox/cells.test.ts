import { randomUUID } from 'node:crypto';

import { DockerFrames } from '../../../src/sandbox/docker-frames.js';
import { connectEngine } from '../../../src/sandbox/engine.js';
import { dockerEndpoint, job, TestSandbox } from '../../support/docker.js';
import { eventually } from '../../support/eventually.js';
import { RUNTIMES } from '../../support/runtimes.js';

const docker = connectEngine(dockerEndpoint);
describe.each(RUNTIMES)('on %s', (runtime) => {
  let box: TestSandbox;
  let userId: string;

  beforeAll(async () => {
    box = await TestSandbox.create({ runtime, reportGraceMs: 20_000 });
  });
  beforeEach(() => (userId = randomUUID()));
  afterEach(() => box.expectNoContainers());
  afterAll(() => box.sandbox.close());

  /** Every cell has its own uid, which shows which cell a job ran in. */
  const cellOf = async (owner = userId): Promise<string> => (await box.run('bash', 'id -u', { userId: owner })).out;

  /** The output of a program that runs in the container itself, beside its launcher. */
  async function inContainer(name: string, Cmd: string[]): Promise<string[]> {
    const exec = await docker.getContainer(name).exec({ Cmd, AttachStdout: true });
    const chunks: Buffer[] = [];
    const frames = new DockerFrames((_, chunk) => chunks.push(Buffer.from(chunk)));
    for await (const bytes of await exec.start({})) frames.write(bytes as Buffer);
    return Buffer.concat(chunks).toString().trim().split('\n');
  }

  it('a cell serves its user’s next job, in any language of its image, with limits of the same kind', async () => {
    const first = await box.run('javascript', 'console.log(process.getuid())', { userId });
    const next = await box.run('typescript', 'console.log(process.getuid!() as number)', { userId });
    expect(next.out).toBe(first.out);
    expect(box.sandbox.figures).toMatchObject({ resting: 1, busy: 0, ready: 0 });
    const smaller = { memory_mb: 128, cpus: 1, pids: 64 };
    const other = await box.run('javascript', 'console.log(process.getuid())', { userId, limits: smaller });
    expect(other.out).not.toBe(first.out);
    expect(await box.containers()).toHaveLength(2);
  });

  it('a cell serves no other user', async () => {
    const own = await cellOf();
    const others = [await cellOf(randomUUID()), await cellOf(randomUUID())];
    expect(new Set([own, ...others]).size).toBe(3);
    expect(await cellOf()).toBe(own);
  });

  it('a cell ends at once when the engine stops it: a restarting engine waits for all old containers', async () => {
    await cellOf();
    const [name] = await box.containers();
    // The engine would wait for an hour for a container that ignores the signal.
    await docker.getContainer(name!).stop({ t: 3_600 });
    await box.expectNoContainers();
  });

  it('a cell runs one job at a time: concurrent jobs of a user run in separate cells', async () => {
    const cells = await Promise.all([cellOf(), cellOf(), cellOf()]);
    expect(new Set(cells).size).toBe(3);
  });

  it('a job sees nothing of the previous one: no file, no process, no name', async () => {
    const left = await box.run(
      'bash',
      `id -u; for folder in /tmp /tmp/work /dev/shm; do echo secret >$folder/left; mkfifo $folder/pipe; mkdir $folder/folder; done
(exec -a left setsid sleep 600 &) ; ulimit -n 10; umask 0777; echo 1000 >/proc/self/oom_score_adj; hostname stolen 2>/dev/null
python3 -c 1 2>/dev/null; exec 9>/tmp/open; setsid bash -c 'trap "" TERM HUP; while :; do echo back >/tmp/left; done' & disown`,
      { userId, input: { env: { SECRET: 'env' }, files: [{ path: 'given', content: Buffer.from('file') }] } },
    );
    const next = await box.run(
      'bash',
      `id -u; ls -A /tmp /tmp/work /dev/shm; processes=(/proc/[0-9]*); echo "\${#processes[@]} $(hostname) $(umask) $(ulimit -n) [$SECRET]"
ls /proc/self/fd | wc -l`,
      { userId },
    );
    const uid = left.out.split('\n')[0]!;
    expect(next.out).toBe(`${uid}\n/dev/shm:\n\n/tmp:\nwork\n\n/tmp/work:\nmain.sh\n1 sandbox 0022 256 []\n4\n`);
  });

  it('each job has its own namespaces, so that no message queue, semaphore or shared memory outlives it', async () => {
    // No system call creates any (denials.test.ts): this is the second barrier.
    const kinds = ['cgroup', 'ipc', 'mnt', 'net', 'pid', 'user', 'uts'];
    const { out } = await box.run('bash', `readlink ${kinds.map((kind) => `/proc/self/ns/${kind}`).join(' ')}`, {
      userId,
    });
    const [name] = await box.containers();
    const ofJob = out.trim().split('\n');
    const ofCell = await inContainer(name!, ['readlink', ...kinds.map((kind) => `/proc/self/ns/${kind}`)]);
    expect(ofJob.map((link) => link.split(':')[0])).toEqual(kinds);
    expect(ofCell.filter((link) => ofJob.includes(link))).toEqual([]);
    expect(ofCell).toHaveLength(kinds.length);
  });

  it('a cell is removed at its limit of jobs, and the next job gets a new one', async () => {
    const worn = await TestSandbox.create({ runtime, cellJobsMax: 3 });
    const cells: string[] = [];
    for (let jobs = 1; jobs <= 4; jobs += 1) cells.push((await worn.run('bash', 'id -u', { userId })).out);
    expect(new Set(cells.slice(0, 3)).size).toBe(1);
    expect(cells[3]).not.toBe(cells[0]);
    await worn.sandbox.close();
  });

  it('a cell is removed at the end of its idle time', async () => {
    const brief = await TestSandbox.create({ runtime, cellRestMs: 200 });
    await brief.run('bash', 'true');
    await eventually(async () => expect(await brief.containers()).toEqual([]));
    expect(brief.sandbox.figures).toMatchObject({ resting: 0, coldStarts: 1 });
    await brief.sandbox.close();
  });

  it('a cell is removed after one job if isolation is single', async () => {
    const single = await TestSandbox.create({ runtime, isolation: 'single' });
    const [one, other] = [
      await single.run('bash', 'id -u; readlink /proc/self/ns/user', { userId }),
      await single.run('bash', 'id -u', { userId }),
    ];
    expect(one.out.split('\n')[0]).not.toBe(other.out.trim());
    expect(single.sandbox.figures).toMatchObject({ resting: 0, coldStarts: 2 });
    await single.expectNoContainers();
    await single.sandbox.close();
  });

  describe('after a job that ended badly, a cell', () => {
    it('reports the memory of the next job only', async () => {
      const allocate = (mib: number) => `import os\nx = bytearray(${mib} << 20)\nprint(os.getuid())`;
      const large = await box.run('python', allocate(150), { userId });
      const small = await box.run('python', allocate(1), { userId });
      const middle = await box.run('python', allocate(80), { userId });
      expect([small.out, middle.out]).toEqual([large.out, large.out]);
      const MIB = 1024 * 1024;
      expect(large.memoryPeakBytes).toBeGreaterThan(150 * MIB);
      expect(small.memoryPeakBytes).toBeGreaterThan(MIB);
      expect(small.memoryPeakBytes).toBeLessThan(80 * MIB);
      expect(middle.memoryPeakBytes).toBeGreaterThan(80 * MIB);
      expect(middle.memoryPeakBytes).toBeLessThan(150 * MIB);
    });

    it('does not attribute the job’s lack of memory to the next one', async () => {
      const limits = { memory_mb: 64, cpus: 1, pids: 64 };
      const hog = await box.run('bash', 'id -u; x=$(tail /dev/zero)', { userId, limits });
      expect(hog.reason).toBe('out_of_memory');
      const next = await box.run('bash', 'id -u; exit 137', { userId, limits });
      expect(next).toMatchObject({ reason: 'exit_code', returnCode: 137, out: hog.out });
      const killed = await box.run('bash', 'id -u; kill -KILL $$', { userId, limits });
      expect(killed).toMatchObject({ reason: 'signal', signal: 'SIGKILL', out: hog.out });
    });

    it('serves again after a fork bomb that ran into its timeout', async () => {
      const bomb = await box.run('bash', 'id -u; bomb() { bomb | bomb & }; bomb; while :; do :; done', {
        userId,
        timeoutMs: 5_000,
      });
      expect(bomb).toMatchObject({ reason: 'timeout', err: expect.any(String) as string });
      expect(await cellOf()).toBe(bomb.out);
    });

    it('serves again after a cancel', async () => {
      const cancel = new AbortController();
      const outcome = await box.sandbox.run(job('bash', 'trap "" TERM; id -u; sleep 600', { userId }), {
        signal: cancel.signal,
        onOutput: () => cancel.abort(),
      });
      expect(outcome.reason).toBe('cancelled');
      expect(await cellOf()).toBe(Buffer.from(outcome.stdout.content).toString());
    });

    it('is gone if its container was killed during the run, and the next job gets a new one', async () => {
      const heard: string[] = [];
      const run = box.sandbox.run(job('bash', 'id -u; sleep 600', { userId }), {
        signal: new AbortController().signal,
        onOutput: (_, chunk) => {
          heard.push(Buffer.from(chunk).toString());
          void box.containers().then(([name]) => docker.getContainer(name!).kill());
        },
      });
      await expect(run).rejects.toMatchObject({ name: 'SandboxFailure', countsAsAttempt: true });
      expect(await cellOf()).not.toBe(heard[0]);
    });
  });

  it('a cell that was killed from outside while idle is not used', async () => {
    const first = await cellOf();
    const [name] = await box.containers();
    await docker.getContainer(name!).kill();
    await eventually(() => expect(box.sandbox.figures.resting).toBe(0));
    expect(await cellOf()).not.toBe(first);
  });

  it('a cell that is suspended and cannot report is removed when its run is cancelled', async () => {
    const stuck = await TestSandbox.create({ runtime, reportGraceMs: 1_000 });
    const cancel = new AbortController();
    const outcome = await stuck.sandbox.run(job('bash', 'id -u; sleep 600', { userId }), {
      signal: cancel.signal,
      // A state that no job can cause: the whole container is paused.
      onOutput: () =>
        void stuck
          .containers()
          .then(([name]) => docker.getContainer(name!).pause())
          .then(() => cancel.abort()),
    });
    expect(outcome).toMatchObject({ reason: 'cancelled', returnCode: null, cpuTimeMs: null });
    expect(stuck.sandbox.figures.resting).toBe(0);
    await stuck.expectNoContainers();
    await stuck.sandbox.close();
  });
});
