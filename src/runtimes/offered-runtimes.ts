import { Unavailable } from '../kernel/errors.js';
import { ignoreErrors } from '../platform/async/ignore-errors.js';
import type { RuntimeOffer } from './runtime-offer.js';

/** How long what the workers offer is used without reading it again. */
const FRESH_MS = 2_000;
/** How long it is used while it is read again. What is older must be read first. */
const USABLE_MS = 10_000;

type Offers = readonly RuntimeOffer[];

/** What the live workers offer, at most some seconds old. */
export class OfferedRuntimes {
  private last: { readonly offers: Offers; readonly at: number } | null = null;
  private pending: Promise<Offers> | null = null;

  /** @param read the offers of all live workers. @throws Unavailable */
  constructor(
    private readonly read: () => Promise<Offers>,
    private readonly ages = { freshMs: FRESH_MS, usableMs: USABLE_MS },
  ) {}

  /** One of the offers of a runtime; undefined if no worker has its image. @throws Unavailable if it cannot be read */
  async find(runtime: string): Promise<RuntimeOffer | undefined> {
    return (await this.offers()).find((offer) => offer.runtime === runtime);
  }

  /**
   * Digest of the image in which every worker runs the runtime; null if they differ, none has it, or it cannot be read.
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
    const { last } = this;
    const ageMs = last ? performance.now() - last.at : Number.POSITIVE_INFINITY;
    if (last && ageMs < this.ages.freshMs) return last.offers;
    this.pending ??= this.refresh().finally(() => (this.pending = null));
    if (!last || ageMs > this.ages.usableMs) return await this.pending;
    void ignoreErrors(this.pending, 'an outage changes nothing that is known; the next call reads again');
    return last.offers;
  }

  private async refresh(): Promise<Offers> {
    const offers = await this.read();
    this.last = { offers, at: performance.now() };
    return offers;
  }
}
