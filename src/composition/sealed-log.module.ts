import { type DynamicModule, Module } from '@nestjs/common';

import { LogController } from '../operations/sealed-log/log-controller.js';
import { SealedLog } from '../operations/sealed-log/sealed-log.js';
import { CheckpointStore } from '../sealing/sealer/checkpoint-store.js';
import { PostgresTiles } from '../sealing/tiles/postgres-tiles.js';
import type { Infrastructure } from './infrastructure.js';
import { sealingVerifiersOf } from './sealing-keys.js';

@Module({})
export class SealedLogModule {
  static with({ config, pool }: Infrastructure): DynamicModule {
    const verifiers = () => sealingVerifiersOf(config);
    const log = new SealedLog(new CheckpointStore(pool), new PostgresTiles(pool), verifiers);
    return {
      module: SealedLogModule,
      controllers: [LogController],
      providers: [{ provide: SealedLog, useValue: log }],
    };
  }
}
