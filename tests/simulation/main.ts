import { Coverage } from './coverage.ts';
import { loadProduction } from './production.ts';
import { simulate } from './simulate.ts';
const production = await loadProduction();
const coverage = new Coverage();
const [from, count] = process.argv.slice(2).map(Number);
const t = performance.now();
let failed = 0; const byc: Record<string, number[]> = {};
for (let seed = from!; seed < from! + count!; seed++) {
  const run = await simulate({ production, seed, coverage, tracing: count === 1 });
  if (count === 1) console.log(run.trace.join('\n'));
  if (run.violations.length > 0) { failed++; const v = run.violations[0]!; (byc[v.checker] ??= []).push(seed); if (byc[v.checker]!.length < 4) console.log(seed, v.checker, v.message); }
}
console.log(failed, 'failed', count! / (performance.now() - t) * 1000, 'per s');
for (const c in byc) console.log(c, byc[c]!.length, byc[c]!.slice(0, 10).join(' '));
console.log(coverage.table());
