/** Remembering answers of cheap pure functions that are asked again and again. */

/** More keys than this are forgotten at once, so that memory stays bounded whatever callers send. */
const keysMax = 10_000;

/** `make` with its answers remembered by key. */
export function remembered<K, V>(make: (key: K) => V): (key: K) => V {
  const known = new Map<K, V>();
  return (key) => {
    const value = known.get(key);
    if (value !== undefined) return value;
    if (known.size >= keysMax) known.clear();
    const made = make(key);
    known.set(key, made);
    return made;
  };
}
