/** Whether those who started this process are still there, up to npm: between it and npm stands a shell that outlives npm. */
import { readFileSync, readlinkSync, realpathSync } from 'node:fs';

/** How far up npm is looked for. */
const generationsMax = 8;

/**
 * Looks once who the ancestors are up to npm; where the system does not tell, only the parent is known.
 * @returns whether each of them still has the parent that it had
 */
export function ancestorsUpToNpm() {
  const known = [process.ppid, ...(npmBeyond(process.ppid) ?? [])];
  return () => process.ppid === known[0] && known.slice(1).every((parent, index) => parentOf(known[index]) === parent);
}

/** The ancestors of a process up to npm; null: it is npm itself, or there is no npm above it. */
function npmBeyond(pid) {
  const ancestors = [];
  for (let current = pid; !isNpm(current); ) {
    const parent = parentOf(current);
    if (parent === null || parent <= 1 || ancestors.push(parent) > generationsMax) return null;
    current = parent;
  }
  return ancestors.length === 0 ? null : ancestors;
}

/** npm tells its scripts by which Node it runs. */
function isNpm(pid) {
  try {
    return readlinkSync(`/proc/${pid}/exe`) === realpathSync(process.env.npm_node_execpath);
  } catch {
    return false;
  }
}

/** The second field after the name, which is in brackets and may hold anything; null: it is gone, or there is no /proc. */
function parentOf(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
  } catch {
    return null;
  }
}
