/** V8's heap, as it suits a server: small while idle, not collected all the time under load. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

type Collect = (options: { type: 'major'; execution: 'sync'; flavor: 'last-resort' }) => void;

/**
 * How much the old generation may grow from one full collection to the next. V8 gives a heap of some 30 MB so little room
 * that it would be collected twice a second under load, which takes a tenth of the CPU time; with this it takes next to none,
 * and the peak of memory stays what it is. Percent.
 */
const growsByPercent = 120;

/**
 * Where V8 finds that what a line of code makes lives long, it makes more of that in the old generation at once. Here nothing
 * of a transaction lives long; what is made there keeps alive, when it is dead, all that it refers to and that comes after it,
 * until the next full collection.
 */
const bornYoung = '--no-allocation-site-pretenuring';

/**
 * To be called once, after the start and before there is work. Also gives back what loading and starting has left behind,
 * some 15 MB that V8 would keep for ever on an idle server, because it shrinks its young generation only when memory is
 * short; that takes some 30 ms.
 */
export function settleHeap(): void {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as Collect;
  setFlagsFromString('--no-expose-gc');
  collect({ type: 'major', execution: 'sync', flavor: 'last-resort' });
  setFlagsFromString(`--heap-growing-percent=${growsByPercent}`);
  setFlagsFromString(bornYoung);
}
