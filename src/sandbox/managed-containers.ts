import type Docker from 'dockerode';

import { ContainerLife } from './container-life.js';
import { LABEL_MANAGED, LABEL_WORKER } from './container-spec.js';
import { engineCall } from './engine.js';

const REMOVALS_AT_ONCE = 4;

/** The containers of all workers on this engine, found by their labels, which are set at creation. */
export class ManagedContainers {
  constructor(private readonly docker: Docker) {}

  /** @returns the number of removed containers. @throws the engine's error */
  async removeWhere(isOurs: (name: string, workerId: string) => boolean): Promise<number> {
    const all = await engineCall('list', (abortSignal) =>
      this.docker.listContainers({ all: true, filters: { label: [`${LABEL_MANAGED}=1`] }, abortSignal }),
    );
    const names = all
      .map(({ Names, Labels }) => ({ name: Names[0]?.replace(/^\//, '') ?? '', owner: Labels[LABEL_WORKER] ?? '' }))
      .filter(({ name, owner }) => isOurs(name, owner))
      .map(({ name }) => name);
    const queue = names.values();
    const remover = async () => {
      for (const name of queue) await new ContainerLife(this.docker, name).remove();
    };
    await Promise.all(Array.from({ length: REMOVALS_AT_ONCE }, remover));
    return names.length;
  }
}

export const namespaceOf = (workerId: string): string => workerId.slice(0, Math.max(0, workerId.indexOf('.')));
