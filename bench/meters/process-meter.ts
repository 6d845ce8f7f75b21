/** What a process has used, as Linux counts it for all its threads together. */
import { readdirSync, readFileSync } from 'node:fs';

/** Microseconds in a tick of `/proc/PID/stat`: Linux counts 100 a second there on all platforms that Node runs on. */
const tickMicros = 10_000;

/** Used since its start. */
export interface Usage {
  /** User and system time of all threads. Microseconds, in steps of 10,000. */
  readonly cpuMicros: number;
  /** What it caused to be written to disk. Bytes. */
  readonly writtenBytes: number;
}

/** Resident memory. Bytes. */
export interface Memory {
  readonly residentBytes: number;
  /** The most since its start. */
  readonly peakBytes: number;
}

/** @returns null where the system does not tell: other systems than Linux, other users' processes */
export function readUsage(pid: number): Usage | null {
  return orNull(() => ({ cpuMicros: cpuMicros(`/proc/${pid}`), writtenBytes: field(`/proc/${pid}/io`, 'write_bytes') }));
}

/** @returns null where the system does not tell */
export function readMemory(pid: number): Memory | null {
  const bytes = (name: string) => field(`/proc/${pid}/status`, name) * 1024;
  return orNull(() => ({ residentBytes: bytes('VmRSS'), peakBytes: bytes('VmHWM') }));
}

/** CPU time of a process so far by the names of its threads, those of one name together. Microseconds. */
export function threadCpuMicros(pid: number): ReadonlyMap<string, number> {
  const sums = new Map<string, number>();
  for (const thread of orNull(() => readdirSync(`/proc/${pid}/task`)) ?? []) {
    const folder = `/proc/${pid}/task/${thread}`;
    const name = readFileSync(`${folder}/comm`, 'utf8').trim();
    sums.set(name, (sums.get(name) ?? 0) + cpuMicros(folder));
  }
  return sums;
}

function cpuMicros(folder: string): number {
  const stat = readFileSync(`${folder}/stat`, 'utf8');
  // The name in parentheses may hold anything; after it come the state (field 3) and numbers.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * tickMicros;
}

function field(file: string, name: string): number {
  return Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(readFileSync(file, 'utf8'))![1]);
}

function orNull<T>(read: () => T): T | null {
  try {
    return read();
  } catch {
    return null;
  }
}
