import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { delay } from '../../src/platform/async/delay.js';
import { ignoreErrors } from '../../src/platform/async/ignore-errors.js';
import { connectEngine } from '../../src/sandbox/engine.js';
import { Child } from './child.js';

const execute = promisify(execFile);
const READY_TIMEOUT_MS = 60_000;
const CONTAINERD_END_MS = 10_000;

/** A private dockerd, started as infra/dev/lib/services/dockerd.sh starts one. Needs root. */
export class PrivateEngine {
  readonly endpoint: string;
  private readonly child: Child;

  private constructor(
    private readonly folder: string,
    private readonly data: string,
  ) {
    const socket = join(folder, 'docker.sock');
    this.endpoint = `unix://${socket}`;
    const name = `recovery-${process.pid}`;
    const docker = connectEngine(this.endpoint);
    this.child = new Child(
      'dockerd',
      [
        ...['--config-file', join(folder, 'docker.json'), '--host', this.endpoint, '--data-root', data],
        ...['--exec-root', join(folder, 'exec'), '--pidfile', join(folder, 'docker.pid'), '--group', '0'],
        ...['--containerd-namespace', name, '--containerd-plugins-namespace', `${name}-plugins`],
        ...['--bridge=none', '--iptables=false', '--ip-forward=false', '--ip-masq=false'],
      ],
      () => docker.ping(),
      READY_TIMEOUT_MS,
    );
  }

  /** @param image copied from the engine at `from` */
  static async start(image: string, from: string): Promise<PrivateEngine> {
    // Data goes to the disk of the checkout: an overlay needs a real file system below it.
    const base = process.env['VOIDRUNNER_STATE_DIR'] ?? tmpdir();
    await mkdir(base, { recursive: true });
    const engine = new PrivateEngine(
      await mkdtemp(join(tmpdir(), 'voidrunner-engine-')),
      await mkdtemp(join(base, 'recovery-docker-')),
    );
    await writeFile(join(engine.folder, 'docker.json'), '{}');
    await engine.child.start();
    const pipe = `docker -H "$0" save "$2" | docker -H "$1" load -q`;
    await execute('sh', ['-c', pipe, from, engine.endpoint, image]);
    return engine;
  }

  /** Like a crash. Its containerd ends too, as it does when a service manager restarts an engine. */
  async kill(): Promise<void> {
    await this.child.end('SIGKILL');
    await this.endContainerd();
    await rm(join(this.folder, 'docker.pid'), { force: true });
  }

  /** Resolves when it is ready. */
  start(): Promise<void> {
    return this.child.start();
  }

  async remove(): Promise<void> {
    await this.child.end('SIGTERM');
    await this.endContainerd();
    const mounts = (await readFile('/proc/self/mounts', 'utf8')).split('\n').map((line) => line.split(' ')[1] ?? '');
    const ours = mounts.filter((point) => point.startsWith(this.folder) || point.startsWith(this.data));
    for (const point of ours.toReversed())
      await ignoreErrors(execute('umount', [point]), 'it may be unmounted already');
    for (const folder of [this.folder, this.data]) await rm(folder, { recursive: true, force: true });
  }

  private async endContainerd(): Promise<void> {
    const file = join(this.folder, 'exec', 'containerd', 'containerd.pid');
    const pid = Number(await ignoreErrors(readFile(file, 'utf8'), 'no containerd'));
    if (pid && (await this.isOurs(pid))) process.kill(pid, 'SIGTERM');
    const deadline = performance.now() + CONTAINERD_END_MS;
    while (pid && (await this.isOurs(pid)) && performance.now() < deadline) {
      await delay(20);
    }
    // Otherwise the next dockerd would take an unrelated process with that pid, or a zombie, for its containerd.
    await rm(file, { force: true });
  }

  private async isOurs(pid: number): Promise<boolean> {
    const line = await ignoreErrors(readFile(`/proc/${pid}/cmdline`, 'utf8'), 'the process has ended');
    return line?.includes(this.folder) ?? false;
  }
}
