import type { StreamRef } from './event.js';

/** The last event of a command's append, which has the command's id. */
export interface RecordedCommand {
  readonly commandId: string;
  readonly digest: string | null;
  /** Of the request that was carried out. */
  readonly requestId: string | null;
  readonly stream: StreamRef;
  readonly version: number;
  readonly position: bigint;
  readonly recordedAt: Date;
}

/** Commands with an id of their own, as the log holds them. */
export abstract class RecordedCommands {
  /** Those of the ids that were recorded, in any order. @throws Unavailable */
  abstract find(commandIds: readonly string[]): Promise<readonly RecordedCommand[]>;
}
