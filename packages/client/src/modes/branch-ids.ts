/**
 * Names of branches that an application gives: `01`, … `99`, `100`, … as many as a coordinator takes; the branches of a branch
 * continue its name with two digits: `0201`. So no two are the same: `1001` is the first branch of `10`.
 */

const branchesMax = 1_000;
const childrenMax = 99;
const parentCharactersMax = 20;

/** Gives one name after the other. @param parent the branch that these belong to; empty: the transaction itself */
export function branchIds(parent = ''): () => string {
  if (parent.length >= parentCharactersMax)
    throw new RangeError(`the branch ${parent} lies too deep to have branches of its own`);
  const most = parent === '' ? branchesMax : childrenMax;
  let last = 0;
  return () => {
    if (last >= most)
      throw new RangeError(`more than ${most} branches in one ${parent === '' ? 'transaction' : `branch (${parent})`}`);
    last++;
    return parent + String(last).padStart(2, '0');
  };
}
