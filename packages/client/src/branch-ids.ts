/** Names of branches that an application gives: `01`, `02`, …; the branches of a branch continue its name: `0201`. */

const childrenMax = 99;
const parentCharactersMax = 20;

/** Gives one name after the other. @param parent the branch that these belong to; empty: the transaction itself */
export function branchIds(parent = ''): () => string {
  if (parent.length >= parentCharactersMax)
    throw new RangeError(`the branch ${parent} lies too deep to have branches of its own`);
  let last = 0;
  return () => {
    if (last >= childrenMax)
      throw new RangeError(`more than ${childrenMax} branches in one ${parent === '' ? 'transaction' : `branch (${parent})`}`);
    last++;
    return parent + String(last).padStart(2, '0');
  };
}
