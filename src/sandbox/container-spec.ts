import type Docker from 'dockerode';

import type { CellKind } from './cell-kind.js';
import { shmSizeMb, TMP_INODES_MAX } from './job-bundle.js';
import type { ImageName } from './languages.js';

export const LABEL_MANAGED = 'voidrunner.managed';
export const LABEL_WORKER = 'voidrunner.worker';
/** Built into the images (infra/launcher). */
export const LAUNCHER = '/usr/local/lib/voidrunner/launcher';

const MIB = 1024 * 1024;
const OPEN_FILES_MAX = 256;
/** The launcher and, nested, the job's init: beside what the program may have. */
const SUPERVISORS = { nested: 2, plain: 1 } as const;

/** As in infra/launcher/view.c: before cgroup v2 nobody is charged for what lies in them. */
const TCP_BUFFERS = { 'net.ipv4.tcp_rmem': '4096 16384 16384', 'net.ipv4.tcp_wmem': '4096 16384 16384' };

export interface ContainerOwner {
  readonly name: string;
  readonly workerId: string;
  readonly uid: number;
}

export interface ContainerSettings {
  readonly images: Readonly<Record<ImageName, string>>;
  /** The seccomp profile itself, as JSON: a path would be one on the engine's host. */
  readonly seccompProfile: string;
  /** OCI runtime; undefined for the engine's default. */
  readonly runtime?: string | undefined;
}

/** A cell: what is shared with the host, and how much of it (docs/architecture.md, "Queue, worker, sandbox"). */
export function containerSpec(
  kind: CellKind,
  owner: ContainerOwner,
  settings: ContainerSettings,
): Docker.ContainerCreateOptions {
  const memory = kind.memoryMb * MIB;
  return {
    name: owner.name,
    Image: settings.images[kind.image],
    Entrypoint: [LAUNCHER],
    Cmd: [],
    // An image's own health check would be a process beside the program.
    Healthcheck: { Test: ['NONE'] },
    User: `${owner.uid}:${owner.uid}`,
    Hostname: 'sandbox',
    Env: ['HOME=/tmp', 'LANG=C.UTF-8'],
    WorkingDir: '/tmp',
    Tty: false,
    OpenStdin: true,
    StdinOnce: true,
    AttachStdin: true,
    AttachStdout: true,
    AttachStderr: true,
    // An engine that stops, or that finds containers of before its crash, stops them one by one before it answers. The
    // launcher, a PID 1, does not hear SIGTERM: each of them would cost the engine its ten seconds of patience.
    StopSignal: 'SIGKILL',
    NetworkDisabled: true,
    // From its creation, since labels cannot change. Which run is where stands in ExecutionAttemptStarted.
    Labels: { [LABEL_MANAGED]: '1', [LABEL_WORKER]: owner.workerId },
    HostConfig: {
      ...hardening(settings),
      // Below Docker's masks the kernel allows no fresh /proc; the launcher hides more than they do.
      // Plain, the container's network namespace is the program's: it gets the bounds that the launcher sets otherwise.
      ...(kind.isolation === 'nested' ? { MaskedPaths: [], ReadonlyPaths: [] } : { Sysctls: TCP_BUFFERS }),
      PidsLimit: kind.pids + SUPERVISORS[kind.isolation],
      Memory: memory,
      MemorySwap: memory,
      ShmSize: shmSizeMb(kind) * MIB,
      NanoCpus: Math.round(kind.cpus * 1e9),
      Tmpfs: {
        '/tmp': `rw,nosuid,nodev,exec,size=${kind.tmpSizeMb}m,nr_inodes=${TMP_INODES_MAX},mode=1777`,
        // In place of the terminals, which the kernel's own threads work for, outside any limit, and the host has few of.
        '/dev/pts': 'ro,nosuid,nodev,noexec,size=4k,nr_inodes=1,mode=555',
      },
    },
  };
}

function hardening({ seccompProfile, runtime }: ContainerSettings): Docker.HostConfig {
  return {
    ...(runtime === undefined ? {} : { Runtime: runtime }),
    ReadonlyRootfs: true,
    Privileged: false,
    CapDrop: ['ALL'],
    SecurityOpt: ['no-new-privileges', `seccomp=${seccompProfile}`],
    IpcMode: 'private',
    // No driver: output is read from the attach stream, and nothing a user prints fills the host's disk.
    LogConfig: { Type: 'none', Config: {} },
    Ulimits: [
      { Name: 'nofile', Soft: OPEN_FILES_MAX, Hard: OPEN_FILES_MAX },
      // Not 0: with a pipe as core_pattern the host's root would run a program for each dump (core(5)).
      { Name: 'core', Soft: 1, Hard: 1 },
    ],
    // The kernel takes a sandbox before anything else of the host.
    OomScoreAdj: 500,
    // AutoRemove loses output and the post-mortem facts; the run removes its container itself.
    AutoRemove: false,
    RestartPolicy: { Name: '' },
  };
}
