import { DEFAULT_LIMITS } from '../../runtimes/default-limits.js';
import { INPUT_BYTES_MAX } from '../../tasks/api/input-schema.js';
import type { OperatorRules } from '../../tasks/api/operator-rules.js';
import { RESPONSE_MS_MAX } from '../../webhooks/delivery/webhook-sender.js';
import { DELIVERY_ATTEMPTS_MAX } from '../../webhooks/domain/retry-schedule.js';

const BYTES_PER_KIB = 1_024;
const KIB_PER_MIB = 1_024;
const MS_PER_SECOND = 1_000;

/** As documented; a client reads them to size its batches. */
export const BATCH_SUBMISSIONS_MAX = 20;
export const OPTIONS_CHARS_MAX = 512;
/** Of a zip archive's content, which becomes the input of an execution. */
const EXTRACT_KIB_MAX = INPUT_BYTES_MAX / BYTES_PER_KIB;

/**
 * `GET /config_info`. What Judge0 lets its operator choose is what this service does: its own defaults for memory and
 * processes, with which containers are kept ready, and its operator's maxima. Seconds and KiB.
 */
export function configInfo({ maximaByField }: OperatorRules) {
  const max = (field: string): number => maximaByField[field]!;
  const fileKib = Math.floor(max('limits.output_bytes') / BYTES_PER_KIB);
  return {
    maintenance_mode: false,
    enable_wait_result: true,
    enable_compiler_options: false,
    allowed_languages_for_compile_options: [] as string[],
    enable_command_line_arguments: true,
    enable_submission_delete: false,
    enable_callbacks: true,
    callbacks_max_tries: DELIVERY_ATTEMPTS_MAX,
    callbacks_timeout: RESPONSE_MS_MAX / MS_PER_SECOND,
    enable_additional_files: true,
    max_queue_size: null,
    cpu_time_limit: Math.min(5, max('limits.cpu_time_seconds')),
    max_cpu_time_limit: max('limits.cpu_time_seconds'),
    cpu_extra_time: 1,
    max_cpu_extra_time: 5,
    wall_time_limit: Math.min(10, max('timeout_seconds')),
    max_wall_time_limit: max('timeout_seconds'),
    memory_limit: Math.min(DEFAULT_LIMITS.memory_mb, max('limits.memory_mb')) * KIB_PER_MIB,
    max_memory_limit: max('limits.memory_mb') * KIB_PER_MIB,
    stack_limit: 64_000,
    max_stack_limit: 128_000,
    max_processes_and_or_threads: Math.min(DEFAULT_LIMITS.pids, max('limits.pids')),
    max_max_processes_and_or_threads: max('limits.pids'),
    enable_per_process_and_thread_time_limit: false,
    allow_enable_per_process_and_thread_time_limit: false,
    enable_per_process_and_thread_memory_limit: false,
    allow_enable_per_process_and_thread_memory_limit: false,
    max_file_size: Math.min(1_024, fileKib),
    max_max_file_size: fileKib,
    number_of_runs: 1,
    max_number_of_runs: 1,
    redirect_stderr_to_stdout: false,
    max_extract_size: EXTRACT_KIB_MAX,
    enable_batched_submissions: true,
    max_submission_batch_size: BATCH_SUBMISSIONS_MAX,
    submission_cache_duration: 0,
    use_docs_as_homepage: false,
    allow_enable_network: false,
    enable_network: false,
    disable_implicit_base64_encoding: false,
  };
}
export type ConfigInfo = ReturnType<typeof configInfo>;
