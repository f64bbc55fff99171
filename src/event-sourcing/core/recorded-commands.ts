import type { StreamRef } from './event.js';

/** The last event of a command's append, which has the command's id. */
export interface RecordedCommand {
  readonly commandId: string;
  readonly digest: string | null;
  /** Of the request that was executed. */
  readonly requestId: string | null;
  readonly stream: StreamRef;
  readonly version: number;
  readonly position: bigint;
  readonly recordedAt: Date;
}

/** Commands that have their own id, as the log holds them. */
export abstract class RecordedCommands {
  /** Returns the commands that were recorded, in any order. @throws Unavailable */
  abstract find(commandIds: readonly string[]): Promise<readonly RecordedCommand[]>;
}
