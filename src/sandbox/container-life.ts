import type { Socket } from 'node:net';

import type Docker from 'dockerode';

import { ignoreErrors } from '../platform/async/ignore-errors.js';
import { engineCall, engineStatus } from './engine.js';

const REMOVE_TRIES_MAX = 3;
const NO_BODY = Buffer.alloc(0);

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

  /**
   * Opens the raw two-way connection. Called before the container starts, so that no output is missed.
   *
   * Rejected: dockerode's own `attach()`. It sends the parameters again as a body, which the engine does not read: it
   * drops the part of the body that arrived with the head, and takes the rest for input of the container. Behind a
   * proxy that sends head and body apart, the launcher read it as a malformed frame, and no cell started.
   */
  async attach(): Promise<Socket> {
    const request = {
      path: `/containers/${this.name}/attach?`,
      method: 'POST',
      options: { stream: true, stdin: true, stdout: true, stderr: true },
      file: NO_BODY,
      isStream: true,
      hijack: true,
      statusCodes: { 404: 'no such container', 500: 'server error' },
    };
    return await engineCall('attach', (abortSignal) => {
      const { promise, resolve, reject } = Promise.withResolvers<Socket>();
      this.docker.modem.dial({ ...request, abortSignal }, (error, socket) => {
        if (error) reject(error);
        else resolve(socket as Socket);
      });
      return promise;
    });
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
