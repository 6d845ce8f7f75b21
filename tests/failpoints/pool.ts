/** Lends things that one borrower at a time may use. */

/** Things to borrow. */
export interface Pool<T> {
  readonly all: readonly T[];
  /** Waits for one that nobody uses, and has it back when `use` is over, however that ends. */
  borrow<Result>(use: (thing: T) => Promise<Result>): Promise<Result>;
}

/** A pool of these things, all of them free. */
export function createPool<T>(all: readonly T[]): Pool<T> {
  const free = [...all];
  const waiting: ((thing: T) => void)[] = [];
  const take = async () => free.pop() ?? new Promise<T>((resolve) => waiting.push(resolve));
  const giveBack = (thing: T) => {
    const next = waiting.shift();
    if (next === undefined) free.push(thing);
    else next(thing);
  };
  return {
    all,
    async borrow(use) {
      const thing = await take();
      try {
        return await use(thing);
      } finally {
        giveBack(thing);
      }
    },
  };
}
