/**
 * The ids that an application gives to branches: `01`, … `99`, `100`, … `1000`, which is as many as a coordinator takes. A branch
 * of a branch adds two digits to the id of its parent: `0201`. No two are the same: `1001` is the first branch of `10`.
 */

const branchesMax = 1_000;
const childrenMax = 99;
const parentCharactersMax = 20;

/** Makes a function that gives one id after the other. @param parent the branch that they belong to; empty: the transaction */
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
