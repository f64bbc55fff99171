import { Injectable } from '@nestjs/common';

import { HttpProblem } from '../http/problem.js';
import { withTimeout } from '../platform/async/timeout.js';
import { HostAddresses } from './host-addresses.js';
import { hostOf, refusalOfHost, refusalOfUrl, type UrlRefusal, type UrlRules } from './webhook-url.js';

/** A slower look-up is not waited for. */
const LOOK_UP_MS_MAX = 2_000;

/** Checks the URLs of webhooks when they are given, so that their author learns at once what will never work. */
@Injectable()
export class CheckedUrls {
  constructor(
    private readonly hosts: HostAddresses,
    private readonly rules: UrlRules,
  ) {}

  /**
   * A host that cannot be resolved is accepted: it may exist later. Every attempt checks again.
   * @throws HttpProblem 422 `webhook_url_refused`, which names the rule
   */
  async check(url: string): Promise<void> {
    const refusal = await this.refusalOf(url);
    if (refusal) throw refused(refusal);
  }

  /** @returns null if it may be used */
  async refusalOf(url: string): Promise<UrlRefusal | null> {
    return refusalOfUrl(url, this.rules) ?? refusalOfHost(await this.addressesOf(url), this.rules);
  }

  private async addressesOf(url: string): Promise<readonly string[]> {
    try {
      const looking = this.hosts.of(hostOf(new URL(url)));
      return await withTimeout(looking, LOOK_UP_MS_MAX, () => new Error('the look-up is slow'));
    } catch {
      return [];
    }
  }
}

const refused = ({ rule, message }: UrlRefusal): HttpProblem =>
  new HttpProblem(422, 'webhook_url_refused', `url ${message}`, { details: { field: 'url', rule } });
