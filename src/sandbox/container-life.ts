import type { Socket } from 'node:net';

import type Docker from 'dockerode';

import { ignoreErrors } from '../platform/async/ignore-errors.js';
import { engineCall, engineStatus } from './engine.js';

const REMOVE_TRIES_MAX = 3;

/** One container, addressed by its name: the name is known even if the response to its create was lost. */
export class ContainerLife {
  private readonly container: Docker.Container;

  constructor(
    private readonly docker: Docker,
    private readonly name: string,
  ) {
    this.container = docker.getContainer(name);
  }

  async create(spec: Docker.ContainerCreateOptions): Promise<void> {
    await engineCall('create', (abortSignal) => this.docker.createContainer({ ...spec, name: this.name, abortSignal }));
  }

  /** Opens the raw two-way connection. Called before the container starts, so that no output is missed. */
  async attach(): Promise<Socket> {
    const stream = await engineCall('attach', (abortSignal) =>
      this.container.attach({ stream: true, hijack: true, stdin: true, stdout: true, stderr: true, abortSignal }),
    );
    return stream as unknown as Socket;
  }

  async start(): Promise<void> {
    await engineCall('start', (abortSignal) => this.container.start({ abortSignal }));
  }

  /** Exit code and OOM flag of a container that has ended. OOMKilled is correct only after `wait` has returned. */
  async postMortem(): Promise<{ readonly exitCode: number; readonly oomKilled: boolean }> {
    await engineCall('wait', (abortSignal) => this.container.wait({ abortSignal }));
    const { State } = await engineCall('inspect', (abortSignal) => this.container.inspect({ abortSignal }));
    return { exitCode: State.ExitCode, oomKilled: State.OOMKilled };
  }

  /** Kills and removes it; a missing container is no error. @throws the last error if it may still exist */
  async remove(): Promise<void> {
    for (let tries = 1; ; tries += 1) {
      try {
        await engineCall('remove', (abortSignal) => this.container.remove({ force: true, v: true, abortSignal }));
        return;
      } catch (error) {
        if (engineStatus(error) === 404) return;
        if (tries === REMOVE_TRIES_MAX) throw error;
        if (engineStatus(error) === 409) await this.awaitRemovalBegunElsewhere();
      }
    }
  }

  private async awaitRemovalBegunElsewhere(): Promise<void> {
    const wait = engineCall('remove', (abortSignal) => this.container.wait({ condition: 'removed', abortSignal }));
    await ignoreErrors(wait, 'remove() tries again, and reports its own error');
  }
}
