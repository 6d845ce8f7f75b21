/**
 * Places where a process can be made to die by SIGKILL, as in a power cut. A file beside the process's database arms it
 * from outside: a line `<boundary> <n>` kills it when it passes that boundary for the nth time from then on. It dies once
 * for each line, in their order.
 */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { flushCompileCache } from 'node:module';
import { parseArgs } from 'node:util';

/** Where to die: around a commit, an answer to a caller, a call of a participant, a claim of what an earlier life left. */
export type Boundary = `${'before' | 'after'}-${'commit' | 'answer' | 'call' | 'claim'}`;

/** One death: when the boundary is passed for the nth time. */
export interface Death {
  readonly boundary: Boundary;
  readonly n: number;
}

const fileOf = (db: string) => `${db}.failpoint`;

/** Arms the process that works on this database, and those that take its place. */
export function arm(db: string, deaths: readonly Death[]): void {
  writeFileSync(fileOf(db), deaths.map(({ boundary, n }) => `${boundary} ${n}`).join('\n'));
}

/** Nobody dies any more. */
export function disarm(db: string): void {
  rmSync(fileOf(db), { force: true });
}

let order = '';
let passages = 0;

/** This process is at a boundary; here it dies if it is told to. */
export function pass(boundary: Boundary): void {
  const { db } = parseArgs({ options: { db: { type: 'string', default: '' } }, strict: false }).values;
  const current = orderIn(fileOf(String(db)));
  if (current !== order) [order, passages] = [current, 0];
  const [next = '', ...later] = current.split('\n');
  const [where, n] = next.split(' ');
  if (where !== boundary) return;
  passages += 1;
  if (passages < Number(n)) return;
  writeFileSync(fileOf(String(db)), later.join('\n'));
  flushCompileCache(); // The process that takes its place starts from it.
  process.kill(process.pid, 'SIGKILL');
}

function orderIn(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw error;
  }
}
