/** Maxima that the operator sets. */
export class WebhookLimits {
  constructor(readonly perUserMax: number) {}
}
