import type { NatsLink } from '../../src/platform/nats/nats-link.js';
import { connectedLink, deleteStreams, uniquePrefix } from './nats.js';
import { ToyPipeline } from './toy-pipeline.js';

/** Gives each test of a `describe` its own pipeline, and removes it and its streams afterwards. */
export function pipelinePerTest(use: (pipeline: ToyPipeline) => void): void {
  let nats: NatsLink;
  let pipeline: ToyPipeline;
  const prefix = uniquePrefix();

  beforeAll(async () => {
    nats = await connectedLink();
  });

  beforeEach(async () => {
    pipeline = await ToyPipeline.create(nats, prefix);
    use(pipeline);
  });

  afterEach(async () => {
    await pipeline.close();
    await deleteStreams(prefix);
  });

  afterAll(() => nats.close());
}
