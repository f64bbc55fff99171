import type { EventMetadata } from '../event-sourcing/core/event.js';
import { Unavailable } from '../kernel/errors.js';
import { NIL_UUID } from '../kernel/uuid.js';
import type { Log } from '../platform/telemetry/log.js';
import type { ErasurePass } from './erasure-pass.js';
import type { UnfinishedErasure, UnfinishedErasures } from './unfinished-erasures.js';

/** Erasures that one round works on; each gets one pass. */
const AT_A_TIME_MAX = 16;
/**
 * After this time no request that passed the check of its token before the erasure is under way any more: the longest
 * waits a minute for a large body.
 */
const SETTLED_MS = 90_000;

export interface ErasureSweepOptions {
  readonly erasures: Pick<UnfinishedErasures, 'next' | 'complete'>;
  readonly pass: Pick<ErasurePass, 'run'>;
  readonly log: Log;
  readonly settledMs?: number;
}

/**
 * Completes recorded erasures. Several processes may sweep at a time. An erasure is complete when a pass after the
 * last possible request has found nothing active.
 */
export class ErasureSweep {
  private after = NIL_UUID;
  /** Requests for which a pass has found nothing active: the next pass is the last one. */
  private readonly quiet = new Map<string, string>();

  constructor(private readonly options: ErasureSweepOptions) {}

  /** @returns whether another round should follow at once. @throws Unavailable */
  async round(signal: AbortSignal): Promise<boolean> {
    const { erasures, settledMs = SETTLED_MS } = this.options;
    const page = await erasures.next(this.after, AT_A_TIME_MAX, settledMs);
    const isLast = page.length < AT_A_TIME_MAX;
    this.after = isLast ? NIL_UUID : page.at(-1)!.user_id;
    let isCut = false;
    for (const erasure of page) if (await this.attempt(erasure, signal)) isCut = true;
    return isCut || !isLast;
  }

  /** One that fails does not keep the others from being completed. @returns whether its pass was cut */
  private async attempt(erasure: UnfinishedErasure, signal: AbortSignal): Promise<boolean> {
    const { user_id, requested_at, is_settled } = erasure;
    if (!is_settled && this.quiet.get(user_id) === requested_at) return false;
    try {
      const { left, isCut, ...figures } = await this.options.pass.run(user_id, metadataFor, signal);
      if (left > 0) return isCut;
      this.quiet.set(user_id, requested_at);
      if (is_settled) await this.complete(erasure, figures);
    } catch (error) {
      if (!(error instanceof Unavailable) && !signal.aborted)
        this.options.log.error({ err: error, user_id }, 'erasure not completed: the next round retries');
    }
    return false;
  }

  private async complete(erasure: UnfinishedErasure, figures: object): Promise<void> {
    await this.options.erasures.complete(erasure);
    this.quiet.delete(erasure.user_id);
    this.options.log.info({ user_id: erasure.user_id, ...figures }, 'erasure completed');
  }
}

const metadataFor = (id: string): EventMetadata => ({ actor: 'system:erasure', correlation_id: id });
