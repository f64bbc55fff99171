/** Of a task that states none, and of a compiler whose runtime states none. Cells with these limits are kept ready. */
export const DEFAULT_LIMITS = { memory_mb: 256, cpus: 1, pids: 64 } as const;
