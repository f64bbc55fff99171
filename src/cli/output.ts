/** Results go to standard output, everything else to standard error. */
export const print = (text: string): void => void process.stdout.write(`${text}\n`);
export const warn = (text: string): void => void process.stderr.write(`${text}\n`);
