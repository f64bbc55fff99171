import { type DynamicModule, Module } from '@nestjs/common';

import { ApiHealthController, HealthController, PingController } from '../operations/health/health-controller.js';
import { HealthProbes, type Probes, type WorkersReport } from '../operations/health/health-probes.js';
import { HealthReports } from '../operations/health/health-reports.js';

export interface HealthOptions {
  readonly version: string;
  /** A check without a probe counts as ready: it does not apply to this process. */
  readonly probes: Probes;
  /** For all worker processes. */
  readonly workers: () => Promise<WorkersReport>;
}

@Module({})
export class HealthModule {
  static forRoot({ version, probes, workers }: HealthOptions): DynamicModule {
    const reports = new HealthReports({ version, probes: new HealthProbes(probes), workers });
    return {
      module: HealthModule,
      controllers: [HealthController, ApiHealthController, PingController],
      providers: [{ provide: HealthReports, useValue: reports }],
    };
  }
}
