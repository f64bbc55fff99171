import type Docker from 'dockerode';

import type { Runtimes } from '../runtimes/runtimes.js';
import { DEFAULT_LIMITS } from '../runtimes/default-limits.js';
import { type CellHost, type CellKind, isSameKind, kindFor } from './cell-kind.js';
import type { ProbedRuntime } from './probe.js';
import { type EngineImage, RuntimeImages } from './runtime-images.js';
import { SandboxFailure, type SandboxJob } from './sandbox.js';

/** A runtime whose image the engine has. */
export interface PresentRuntime extends ProbedRuntime {
  readonly image: EngineImage;
}

/** Which of the declared runtimes this engine can run. */
export class RuntimesOnEngine {
  private readonly images: RuntimeImages;

  constructor(
    docker: Docker,
    private readonly runtimes: Runtimes,
  ) {
    this.images = new RuntimeImages(docker);
  }

  /** In the order of their names. @throws the engine's error */
  async present(): Promise<PresentRuntime[]> {
    const found = await Promise.all(
      this.runtimes.all.map(async (runtime) => ({ runtime, image: await this.images.find(runtime.image) })),
    );
    return found.flatMap(({ runtime, image }) => (image ? [{ runtime, image, imageDigest: image.digest }] : []));
  }

  /** The first that is kept ready, else the first. @throws SandboxFailure if there is none */
  async any(): Promise<ProbedRuntime> {
    const present = await this.present().catch((error: unknown) => this.unreadable(error));
    const any = present.find(({ runtime }) => runtime.keep_ready) ?? present[0];
    if (!any) throw new SandboxFailure('the engine has no image of any runtime', false);
    return any;
  }

  /** Digest of the image that a job runs in. @throws SandboxFailure */
  async imageFor({ runtime, imageDigest }: Pick<SandboxJob, 'runtime' | 'imageDigest'>): Promise<string> {
    if (imageDigest !== null) return imageDigest;
    const image = await this.images.find(runtime.image).catch((error: unknown) => this.unreadable(error));
    if (!image) throw new SandboxFailure(`the image ${runtime.image} is missing`, false);
    return image.digest;
  }

  /** Of every image that is kept ready, one kind with the default limits. @throws the engine's error */
  async readyKinds(host: CellHost): Promise<CellKind[]> {
    const kinds = (await this.present())
      .filter(({ runtime }) => runtime.keep_ready)
      .map(({ runtime, imageDigest }) => kindFor(runtime, imageDigest, DEFAULT_LIMITS, host));
    return kinds.filter((kind, index) => kinds.findIndex((other) => isSameKind(kind, other)) === index);
  }

  forget(digest: string): void {
    this.images.forget(digest);
  }

  forgetAll(): void {
    this.images.forgetAll();
  }

  private unreadable(error: unknown): never {
    throw new SandboxFailure(`Docker engine: ${(error as Error).message}`, false, { cause: error });
  }
}
