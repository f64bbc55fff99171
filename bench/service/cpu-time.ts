import { readdirSync, readFileSync } from 'node:fs';

/** proc(5): in units of sysconf(_SC_CLK_TCK), which is 100 on every Linux there is for Node. */
const TICKS_PER_SECOND = 100;
/** proc(5), /proc/stat: the columns that are time worked, not idle, waited or stolen. */
const WORKED = { user: 1, nice: 2, system: 3, irq: 6, softirq: 7 };

/** Whose CPU time is told apart, by the name of the process (at most 15 characters of it, proc(5)). */
const GROUPS: readonly (readonly [group: string, name: RegExp])[] = [
  ['postgres', /^postgres/],
  ['redis', /^redis-server/],
  ['nats', /^nats-server/],
  ['engine', /^(dockerd|containerd|runc|crun|docker-proxy)/],
];

/** CPU seconds so far, by group of processes. `rest` is what is left of the machine: the containers, and strangers. */
export type CpuTime = Readonly<Record<string, number>>;

/** @param named processes with a name of their own, by pid */
export function cpuTime(named: Readonly<Record<string, number>>): CpuTime {
  const seconds: Record<string, number> = Object.fromEntries(GROUPS.map(([group]) => [group, 0]));
  for (const [name, pid] of Object.entries(named)) seconds[name] = processSeconds(pid)?.seconds ?? 0;
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry) || Object.values(named).includes(Number(entry))) continue;
    const found = processSeconds(Number(entry));
    const group = GROUPS.find(([, name]) => found && name.test(found.name))?.[0];
    if (found && group !== undefined) seconds[group]! += found.seconds;
  }
  const known = Object.values(seconds).reduce((sum, each) => sum + each, 0);
  return { ...seconds, rest: machineSeconds() - known };
}

/** @returns what each group used between the two */
export const cpuTimeBetween = (before: CpuTime, after: CpuTime): CpuTime =>
  Object.fromEntries(Object.entries(after).map(([group, seconds]) => [group, seconds - (before[group] ?? 0)]));

/** With the children it has waited for; null where it is gone. */
function processSeconds(pid: number): { name: string; seconds: number } | null {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return null;
  }
  const name = text.slice(text.indexOf('(') + 1, text.lastIndexOf(')'));
  // The fields after the name, from the third on: utime, stime, cutime, cstime are 14 to 17.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
  return { name, seconds: ticks / TICKS_PER_SECOND };
}

function machineSeconds(): number {
  const columns = readFileSync('/proc/stat', 'utf8').split('\n', 1)[0]!.split(/\s+/);
  return Object.values(WORKED).reduce((sum, column) => sum + Number(columns[column]), 0) / TICKS_PER_SECOND;
}
