/** A declared runtime whose image a worker's engine has. */
export interface RuntimeOffer {
  readonly runtime: string;
  readonly image_digest: string;
  /** Null if its image does not tell. */
  readonly version: string | null;
  readonly preloaded: boolean;
}
