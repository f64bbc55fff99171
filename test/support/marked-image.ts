import { randomUUID } from 'node:crypto';

import { connectEngine } from '../../src/sandbox/engine.js';
import { dockerEndpoint } from './docker.js';
import { eventually } from './eventually.js';

const engine = connectEngine(dockerEndpoint);

/** A tag of the test's own, for images that differ from another one by a file. */
export class MarkedImage {
  private readonly repo = `voidrunner-test/${randomUUID().slice(0, 8)}`;
  private readonly digests: string[] = [];

  get name(): string {
    return `${this.repo}:latest`;
  }

  /** Makes an image with the file /mark, and gives it the tag. @returns its digest */
  async mark(from: string, mark: string): Promise<string> {
    const container = await engine.createContainer({
      Image: from,
      Entrypoint: ['sh', '-c', `echo ${mark} >/mark`],
      HostConfig: { NetworkMode: 'none' },
    });
    try {
      await container.start();
      await container.wait();
      await container.commit({ repo: this.repo, tag: 'latest' });
    } finally {
      await container.remove({ force: true });
    }
    const { Id } = await engine.getImage(this.name).inspect();
    this.digests.push(Id);
    return Id;
  }

  /** Waits until no cell has it any more. */
  async remove(digest: string): Promise<void> {
    await eventually(() => engine.getImage(digest).remove({ force: true }));
    this.digests.splice(this.digests.indexOf(digest), 1);
  }

  async removeAll(): Promise<void> {
    for (const digest of this.digests.slice()) await this.remove(digest);
  }
}
