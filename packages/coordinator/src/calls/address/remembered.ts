/** Remembering the answers of pure functions that are asked the same again and again. */

/**
 * `compute` with its answers remembered by key. When `keysMax` keys are known all are forgotten at once, so that memory
 * stays bounded whatever callers send. Default 10,000. An answer must not be undefined.
 */
export function remembered<K, V>(compute: (key: K) => V, keysMax = 10_000): (key: K) => V {
  const known = new Map<K, V>();
  return (key) => {
    const answer = known.get(key);
    if (answer !== undefined) return answer;
    if (known.size >= keysMax) known.clear();
    const computed = compute(key);
    known.set(key, computed);
    return computed;
  };
}
