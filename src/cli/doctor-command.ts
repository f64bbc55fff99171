import { Command } from 'commander';

import { createSandbox, newWorkerId } from '../composition/worker-role.js';
import { type Config, loadConfig } from '../config/load-config.js';
import { Unavailable } from '../kernel/errors.js';
import { silentLog } from '../platform/telemetry/log.js';
import { loadRuntimes } from '../runtimes/load-runtimes.js';
import type { Runtimes } from '../runtimes/runtimes.js';
import { diagnose, type Diagnosis, type SandboxFindings } from '../sandbox/diagnosis.js';
import { askEngine } from '../sandbox/engine-findings.js';
import { connectEngine } from '../sandbox/engine.js';
import { testRuntimes } from '../sandbox/runtime-findings.js';
import { EXIT_FAULTS } from './exit-codes.js';
import { print } from './output.js';

const LABELS = { ok: 'ok    ', advice: 'ADVICE', fault: 'FAULT ' } as const;

export const doctorCommand = (): Command =>
  new Command('doctor')
    .option('--json', 'print the findings as JSON')
    .option('--strict', 'treat advice as a fault')
    .addHelpText('after', '\nExit codes: 0 no faults, 1 faults found, 2 the engine does not respond, 64 usage error.')
    .action(async (options: { json?: true; strict?: true }) => {
      const diagnoses = diagnose(await examine(loadConfig()));
      print(options.json ? JSON.stringify(diagnoses, null, 2) : textOf(diagnoses));
      const wrong = ({ verdict }: Diagnosis): boolean =>
        verdict === 'fault' || (verdict === 'advice' && options.strict === true);
      if (diagnoses.some(wrong)) process.exitCode = EXIT_FAULTS;
    });

/** @throws Unavailable if the engine does not respond */
async function examine(config: Config): Promise<SandboxFindings> {
  const docker = connectEngine(config.DOCKER_ENDPOINT);
  const runtimes = loadRuntimes(config.RUNTIMES_DIR);
  try {
    return {
      engine: await askEngine(docker, config.EXECUTOR_RUNTIME),
      ...(await tryCell(config, runtimes)),
      isNestingRequired: config.EXECUTOR_ISOLATION_REQUIRED === 'nested',
      slots: config.WORKER_POOL_SIZE,
      userSlotsMax: config.WORKER_MAX_USER_CONCURRENT_TASKS,
      poolSize: config.EXECUTOR_POOL_SIZE,
      // A compiler has the limits of its runtime's file, whatever tasks may ask for.
      memoryMbMax: Math.max(
        config.EXECUTOR_MEMORY_MB_MAX,
        ...runtimes.all.map(({ compile }) => compile?.limits.memory_mb ?? 0),
      ),
    };
  } catch (error) {
    throw new Unavailable('docker', `the Docker engine does not respond: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

type CellFindings = Pick<SandboxFindings, 'isolation' | 'chargesKernelMemory' | 'preloads' | 'runtimes'>;

async function tryCell(config: Config, runtimes: Runtimes): Promise<CellFindings> {
  // A namespace of its own: the workers of this service remove the containers of a worker that sends no heartbeats.
  const workerId = newWorkerId(`${config.QUEUE_NAMESPACE}-doctor`);
  const sandbox = await createSandbox(config, silentLog, workerId, runtimes);
  try {
    await sandbox.sweep(isRunning);
    const isolation = await sandbox.hostIsolation();
    const { chargesKernelMemory } = sandbox;
    const preloads = await sandbox.preloads();
    return { isolation, chargesKernelMemory, preloads, runtimes: await testRuntimes(sandbox, runtimes) };
  } catch (error) {
    return { isolation: { failure: (error as Error).message }, chargesKernelMemory: null, preloads: [], runtimes: [] };
  } finally {
    await sandbox.close();
  }
}

/** Whether the process that made a container still runs. A doctor that was killed has left its containers. */
function isRunning(workerId: string): boolean {
  const [, pid] = /-(\d+)-[0-9a-f]+$/.exec(workerId) ?? [];
  try {
    return pid === undefined || process.kill(Number(pid), 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}

function textOf(diagnoses: readonly Diagnosis[]): string {
  return diagnoses
    .flatMap(({ check, verdict, detail, advice }) => [
      `${LABELS[verdict]}  ${check.padEnd(12)}  ${detail}`,
      ...(advice === undefined ? [] : [`${' '.repeat(22)}→ ${advice}`]),
    ])
    .join('\n');
}
