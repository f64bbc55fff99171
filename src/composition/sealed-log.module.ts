import { type DynamicModule, Module } from '@nestjs/common';

import { LogController } from '../operations/sealed-log/log-controller.js';
import { SealedLog } from '../operations/sealed-log/sealed-log.js';
import type { NoteVerifier } from '../sealing/proofs/signed-note.js';
import { CheckpointStore } from '../sealing/sealer/checkpoint-store.js';
import { PostgresTiles } from '../sealing/tiles/postgres-tiles.js';
import type { Infrastructure } from './infrastructure.js';
import { sealingVerifiersOf } from './sealing-keys.js';

@Module({})
export class SealedLogModule {
  static with({ config, pool }: Infrastructure): DynamicModule {
    // Once: its routes are public, and the keys may come from a file or a command.
    let known: Promise<readonly NoteVerifier[]> | undefined;
    const verifiers = () =>
      (known ??= sealingVerifiersOf(config).catch((error: unknown) => {
        known = undefined;
        throw error;
      }));
    const log = new SealedLog(new CheckpointStore(pool), new PostgresTiles(pool), verifiers);
    return {
      module: SealedLogModule,
      controllers: [LogController],
      providers: [{ provide: SealedLog, useValue: log }],
    };
  }
}
