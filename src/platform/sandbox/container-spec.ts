import type Docker from 'dockerode';

import type { SandboxJob } from '../../kernel/ports/sandbox.js';
import { type ImageName, LANGUAGES } from './languages.js';
import { PID_ONE_COMMAND } from './pid-one.js';

export const LABEL_MANAGED = 'voidrunner.managed';
export const LABEL_WORKER = 'voidrunner.worker';

const MIB = 1024 * 1024;
const SHM_BYTES = 16 * MIB;
const OPEN_FILES_MAX = 256;
const TMP_INODES_MAX = 16_384;
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

/** A single-use container, hardened as SANDBOX asks. The engine refuses more CPUs than it has: `engineCpus` caps. */
export function containerSpec(
  job: Pick<SandboxJob, 'scriptType' | 'limits' | 'executionId' | 'attempt'>,
  owner: ContainerOwner,
  settings: ContainerSettings,
  engineCpus: number,
): Docker.ContainerCreateOptions {
  const language = LANGUAGES[job.scriptType];
  const memory = Math.max(job.limits.memory_mb, language.memoryMbMin) * MIB;
  return {
    name: owner.name,
    Image: settings.images[language.image],
    Entrypoint: [...PID_ONE_COMMAND],
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
    NetworkDisabled: true,
    Labels: {
      [LABEL_MANAGED]: '1',
      [LABEL_WORKER]: owner.workerId,
      'voidrunner.execution': job.executionId,
      'voidrunner.attempt': String(job.attempt),
    },
    HostConfig: {
      ...hardening(settings),
      PidsLimit: Math.max(job.limits.pids, language.pidsMin),
      Memory: memory,
      MemorySwap: memory,
      NanoCpus: Math.round(Math.min(job.limits.cpus, engineCpus) * 1e9),
      Tmpfs: { '/tmp': `rw,nosuid,nodev,exec,size=${language.tmpSizeMb}m,nr_inodes=${TMP_INODES_MAX},mode=1777` },
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
    ShmSize: SHM_BYTES,
    // No driver: output is read from the attach stream, and nothing a user prints fills the host's disk.
    LogConfig: { Type: 'none', Config: {} },
    Ulimits: [
      { Name: 'nofile', Soft: OPEN_FILES_MAX, Hard: OPEN_FILES_MAX },
      { Name: 'core', Soft: 0, Hard: 0 },
    ],
    // The kernel takes a sandbox before anything else of the host.
    OomScoreAdj: 500,
    // AutoRemove loses output and the post-mortem facts; the run removes its container itself.
    AutoRemove: false,
    RestartPolicy: { Name: '' },
  };
}
