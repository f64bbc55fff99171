import { readdirSync, readFileSync } from 'node:fs';

/** proc(5): in units of sysconf(_SC_CLK_TCK), which is 100 on every Linux that Node supports. */
const TICKS_PER_SECOND = 100;
/** proc(5), /proc/stat: the columns of busy time, without idle, iowait and steal. */
const WORKED = { user: 1, nice: 2, system: 3, irq: 6, softirq: 7 };

/** Groups of processes whose CPU time is reported separately, by process name (at most 15 characters, proc(5)). */
const GROUPS: readonly (readonly [group: string, name: RegExp])[] = [
  ['postgres', /^postgres/],
  ['redis', /^redis-server/],
  ['nats', /^nats-server/],
  ['engine', /^(dockerd|containerd|runc|crun|docker-proxy)/],
];

/** CPU seconds so far, by group. `rest` is the rest of the machine: the containers and unrelated processes. */
export type CpuTime = Readonly<Record<string, number>>;

/** @param named further processes: name and pid */
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

/** @returns the CPU time that each group used between the two */
export const cpuTimeBetween = (before: CpuTime, after: CpuTime): CpuTime =>
  Object.fromEntries(Object.entries(after).map(([group, seconds]) => [group, seconds - (before[group] ?? 0)]));

/** Includes children it has waited for; null if the process has ended. */
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
