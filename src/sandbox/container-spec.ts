import type Docker from 'dockerode';

import type { CellKind } from './cell-kind.js';
import { shmSizeMb, TMP_INODES_MAX } from './job-bundle.js';
import { preloadOf } from './preload.js';

export const LABEL_MANAGED = 'voidrunner.managed';
export const LABEL_WORKER = 'voidrunner.worker';
/** Built into the images (infra/launcher). */
export const LAUNCHER = '/usr/local/lib/voidrunner/launcher';

const MIB = 1024 * 1024;
const OPEN_FILES_MAX = 256;
/** Processes in addition to the program's limit: the launcher and, if nested, the job's init. */
const SUPERVISORS = { nested: 2, plain: 1 } as const;

/** As in infra/launcher/view.c: before cgroup v2 the kernel charges the content of these buffers to no cgroup. */
const TCP_BUFFERS = { 'net.ipv4.tcp_rmem': '4096 16384 16384', 'net.ipv4.tcp_wmem': '4096 16384 16384' };

export interface ContainerOwner {
  readonly name: string;
  readonly workerId: string;
  readonly uid: number;
}

export interface ContainerSettings {
  /** The seccomp profile itself, as JSON: a path would refer to the engine's host. */
  readonly seccompProfile: string;
  /** OCI runtime; undefined for the engine's default. */
  readonly runtime?: string | undefined;
  /** Whether cells start their language's interpreter ahead of their jobs. Default: no. */
  readonly preload?: boolean | undefined;
}

/** A cell's container: its limits and what it shares with the host (docs/architecture.md, "Queue, worker, sandbox"). */
export function containerSpec(
  kind: CellKind,
  owner: ContainerOwner,
  settings: ContainerSettings,
): Docker.ContainerCreateOptions {
  const preload = settings.preload ? preloadOf(kind) : undefined;
  const memory = (kind.memoryMb + (preload?.memoryMb ?? 0)) * MIB;
  return {
    name: owner.name,
    Image: kind.image,
    Entrypoint: [LAUNCHER],
    Cmd: [...(preload?.argv ?? [])],
    // An image's own health check would run a process next to the program.
    Healthcheck: { Test: ['NONE'] },
    User: `${owner.uid}:${owner.uid}`,
    Hostname: 'sandbox',
    Env: ['HOME=/tmp', 'LANG=C.UTF-8', ...variablesOf(preload?.environment ?? {})],
    WorkingDir: '/tmp',
    Tty: false,
    OpenStdin: true,
    StdinOnce: true,
    AttachStdin: true,
    AttachStdout: true,
    AttachStderr: true,
    // When the engine shuts down, or restarts after a crash, it stops containers one by one before it responds. The
    // launcher, as PID 1, ignores SIGTERM: each container would cost the engine its stop timeout of ten seconds.
    StopSignal: 'SIGKILL',
    NetworkDisabled: true,
    // Set at creation, since labels cannot change. ExecutionAttemptStarted records which worker runs an attempt.
    Labels: { [LABEL_MANAGED]: '1', [LABEL_WORKER]: owner.workerId },
    HostConfig: {
      ...hardening(settings),
      // Nested: the kernel allows no fresh /proc under Docker's masks; the launcher hides more than they do.
      // Plain: the program uses the container's network namespace, so the launcher's bounds are set here.
      ...(kind.isolation === 'nested' ? { MaskedPaths: [], ReadonlyPaths: [] } : { Sysctls: TCP_BUFFERS }),
      PidsLimit: kind.pids + SUPERVISORS[kind.isolation] + (preload?.pids ?? 0),
      Memory: memory,
      MemorySwap: memory,
      ShmSize: shmSizeMb(kind) * MIB,
      NanoCpus: Math.round(kind.cpus * 1e9),
      Tmpfs: {
        '/tmp': `rw,nosuid,nodev,exec,size=${kind.tmpSizeMb}m,nr_inodes=${TMP_INODES_MAX},mode=1777`,
        // Hides the terminals: the host has few of them, and kernel threads work for them outside any limit.
        '/dev/pts': 'ro,nosuid,nodev,noexec,size=4k,nr_inodes=1,mode=555',
      },
    },
  };
}

const variablesOf = (environment: Readonly<Record<string, string>>): string[] =>
  Object.entries(environment).map(([name, value]) => `${name}=${value}`);

function hardening({ seccompProfile, runtime }: ContainerSettings): Docker.HostConfig {
  return {
    ...(runtime === undefined ? {} : { Runtime: runtime }),
    ReadonlyRootfs: true,
    Privileged: false,
    CapDrop: ['ALL'],
    SecurityOpt: ['no-new-privileges', `seccomp=${seccompProfile}`],
    IpcMode: 'private',
    // No driver: output is read from the attach stream, so user output cannot fill the host's disk.
    LogConfig: { Type: 'none', Config: {} },
    Ulimits: [
      { Name: 'nofile', Soft: OPEN_FILES_MAX, Hard: OPEN_FILES_MAX },
      // Not 0: if core_pattern is a pipe, the host would run a program as root for each dump (core(5)).
      { Name: 'core', Soft: 1, Hard: 1 },
    ],
    // When the host runs out of memory, the kernel kills sandboxes first.
    OomScoreAdj: 500,
    // AutoRemove loses output and the post-mortem data; the run removes its container itself.
    AutoRemove: false,
    RestartPolicy: { Name: '' },
  };
}
