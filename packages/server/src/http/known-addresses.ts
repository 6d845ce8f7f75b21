/** The addresses that exist, for requests by methods that they do not have. */

/** Filled while routes are made. */
export interface KnownAddresses {
  /** Takes in a route, such as `/transactions/:gid`. */
  add(url: string, methods: string | readonly string[]): void;
  /** The methods of a path, in the order in which they came; none: there is no such address. */
  methodsOf(path: string): readonly string[];
}

/** None yet. */
export function knownAddresses(): KnownAddresses {
  const byUrl = new Map<string, { readonly pattern: RegExp; readonly methods: Set<string> }>();
  return {
    add(url, methods) {
      const address = byUrl.get(url) ?? { pattern: patternOf(url), methods: new Set() };
      for (const method of [methods].flat()) address.methods.add(method);
      byUrl.set(url, address);
    },
    methodsOf: (path) => [...([...byUrl.values()].find(({ pattern }) => pattern.test(path))?.methods ?? [])],
  };
}

function patternOf(url: string): RegExp {
  const parts = url.split('/').map((part) => (part.startsWith(':') ? '[^/]+' : part.replace(/\W/g, '\\$&')));
  return new RegExp(`^${parts.join('/')}$`);
}
