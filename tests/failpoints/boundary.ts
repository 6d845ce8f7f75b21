/**
 * Places where a process can be made to die by SIGKILL, as in a power cut. A file beside the process's database arms it
 * from outside: `<boundary> <n>` kills it when it passes that boundary for the nth time from then on. It dies once.
 */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { flushCompileCache } from 'node:module';
import { parseArgs } from 'node:util';

/** Where to die: around a commit, around an answer to a caller, around a call of a participant. */
export type Boundary = 'before-commit' | 'after-commit' | 'before-answer' | 'after-answer' | 'before-call' | 'after-call';

const fileOf = (db: string) => `${db}.failpoint`;

/** Arms the process that works on this database. */
export function arm(db: string, boundary: Boundary, n: number): void {
  writeFileSync(fileOf(db), `${boundary} ${n}`);
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
  const [where, n] = current.split(' ');
  if (where !== boundary) return;
  passages += 1;
  if (passages < Number(n)) return;
  disarm(String(db));
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
