import type Docker from 'dockerode';

import type { EngineFindings } from './diagnosis.js';
import { engineCall } from './engine.js';

interface Info {
  readonly NCPU: number;
  readonly MemTotal: number;
  readonly DefaultRuntime: string;
  readonly Runtimes: Readonly<Record<string, { readonly path?: string } | undefined>>;
  readonly CgroupVersion?: string;
  readonly SecurityOptions?: readonly string[] | null;
  readonly MemoryLimit: boolean;
  readonly SwapLimit: boolean;
  readonly PidsLimit: boolean;
  readonly CpuCfsQuota: boolean;
}

/** Options that dockerode accepts but its types lack. */
interface AbortableQueries {
  info(options: { abortSignal: AbortSignal }): Promise<Info>;
  version(options: { abortSignal: AbortSignal }): Promise<Docker.DockerVersion>;
}

/** @param runtime the configured OCI runtime; undefined for the engine's default. @throws the engine's error */
export async function askEngine(docker: Docker, runtime: string | undefined): Promise<EngineFindings> {
  const queries = docker as unknown as AbortableQueries;
  const [info, version] = await engineCall('info', (abortSignal) =>
    Promise.all([queries.info({ abortSignal }), queries.version({ abortSignal })]),
  );
  const name = runtime ?? info.DefaultRuntime;
  const limits = { memory: info.MemoryLimit, swap: info.SwapLimit, pids: info.PidsLimit, cpu: info.CpuCfsQuota };
  return {
    version: version.Version,
    runtime: name,
    // The engine reports the version of its default runtime only.
    runtimeVersion: version.Components?.find(({ Name }) => Name === name)?.Version ?? null,
    runtimePath: info.Runtimes[name]?.path ?? null,
    runtimesKnown: Object.keys(info.Runtimes),
    cgroupVersion: info.CgroupVersion ?? '1',
    securityOptions: info.SecurityOptions ?? [],
    memoryBytes: info.MemTotal,
    cpus: info.NCPU,
    limitsMissing: Object.entries(limits).flatMap(([limit, enforced]) => (enforced ? [] : [limit])),
  };
}
