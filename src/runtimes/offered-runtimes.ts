import { Unavailable } from '../kernel/errors.js';
import { ignoreErrors } from '../platform/async/ignore-errors.js';
import type { RuntimeOffer } from './runtime-offer.js';

/** How long what the workers offer is used without reading it again. */
const AGE_MS_MAX = 2_000;

type Offers = readonly RuntimeOffer[];

/** What the live workers offer. Known again some seconds after it changed. */
export class OfferedRuntimes {
  private last: { readonly offers: Offers; readonly at: number } | null = null;
  private pending: Promise<Offers> | null = null;

  /** @param read the offers of all live workers. @throws Unavailable */
  constructor(
    private readonly read: () => Promise<Offers>,
    private readonly ageMsMax = AGE_MS_MAX,
  ) {}

  /** One of the offers of a runtime; undefined if no worker has its image. @throws Unavailable before the first answer */
  async find(runtime: string): Promise<RuntimeOffer | undefined> {
    return (await this.offers()).find((offer) => offer.runtime === runtime);
  }

  /**
   * Digest of the image in which every worker runs the runtime; null if they differ, none has it, or nothing is known.
   * Waits for an answer only if there has never been one.
   */
  async agreedDigest(runtime: string): Promise<string | null> {
    const offers = await this.offers().catch((error: unknown) => {
      if (error instanceof Unavailable) return [];
      throw error;
    });
    const digests = new Set(
      offers.filter((offer) => offer.runtime === runtime).map(({ image_digest }) => image_digest),
    );
    return digests.size === 1 ? [...digests][0]! : null;
  }

  private async offers(): Promise<Offers> {
    if (this.last && performance.now() - this.last.at < this.ageMsMax) return this.last.offers;
    this.pending ??= this.refresh().finally(() => (this.pending = null));
    if (!this.last) return await this.pending;
    void ignoreErrors(this.pending, 'an outage changes nothing that is known; the next call reads again');
    return this.last.offers;
  }

  private async refresh(): Promise<Offers> {
    const offers = await this.read();
    this.last = { offers, at: performance.now() };
    return offers;
  }
}
