import type Docker from 'dockerode';

import { ignoreErrors } from '../platform/async/ignore-errors.js';
import { engineCall, engineStatus } from './engine.js';

/** How long an answer is used without asking the engine again: a new image is used after this time at the latest. */
const ANSWER_AGE_MS_MAX = 10_000;

/** Set when an image is built: what the runtime's version command printed (infra/dev/lib/runtime-images.sh). */
const LABEL_VERSION = 'voidrunner.version.';

/** An image that the engine has. */
export interface EngineImage {
  readonly digest: string;
  /** By the name of the runtime. */
  readonly versions: Readonly<Record<string, string>>;
}

interface Known {
  readonly image: EngineImage | null;
  readonly at: number;
}

/** The images of this engine, by name. A run never waits for the engine, except for an image that was not asked for. */
export class RuntimeImages {
  private readonly known = new Map<string, Known>();
  private readonly pending = new Map<string, Promise<EngineImage | null>>();

  constructor(private readonly docker: Docker) {}

  /** @param name `name:tag` or a digest @returns null if the engine does not have it. @throws the engine's error */
  async find(name: string): Promise<EngineImage | null> {
    const known = this.known.get(name);
    if (known && performance.now() - known.at < ANSWER_AGE_MS_MAX) return known.image;
    const asked = this.ask(name);
    if (!known?.image) return await asked;
    void ignoreErrors(asked, 'the next call asks again');
    return known.image;
  }

  /** The engine did not have it after all. */
  forget(digest: string): void {
    for (const [name, { image }] of this.known) if (image?.digest === digest) this.known.delete(name);
  }

  forgetAll(): void {
    this.known.clear();
  }

  private ask(name: string): Promise<EngineImage | null> {
    let answer = this.pending.get(name);
    if (!answer) {
      answer = this.inspect(name).finally(() => this.pending.delete(name));
      this.pending.set(name, answer);
    }
    return answer;
  }

  private async inspect(name: string): Promise<EngineImage | null> {
    const image = await engineCall('inspect', () => this.docker.getImage(name).inspect()).then(
      ({ Id, Config }) => ({ digest: Id, versions: versionsIn(Config.Labels) }),
      (error: unknown) => {
        if (engineStatus(error) !== 404) throw error;
        return null;
      },
    );
    this.known.set(name, { image, at: performance.now() });
    return image;
  }
}

/** The labels are null for an image without any. */
function versionsIn(labels: Readonly<Record<string, string>> | null): Record<string, string> {
  const own = Object.entries(labels ?? {}).filter(([label]) => label.startsWith(LABEL_VERSION));
  return Object.fromEntries(own.map(([label, version]) => [label.slice(LABEL_VERSION.length), version]));
}
