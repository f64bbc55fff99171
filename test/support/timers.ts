/** How many timers would keep this process alive. */
export const runningTimers = (): number => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
