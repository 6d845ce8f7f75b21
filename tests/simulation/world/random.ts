/** Chance from one seed: independent streams by name, so that a draw more in one place leaves the others as they were. */

/** A stream of pseudo-random numbers (sfc32). The same seed and name give the same stream. */
export class Chance {
  readonly #seed: number;
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  constructor(seed: number, name: string) {
    this.#seed = seed;
    this.#a = seed | 0;
    this.#b = Math.floor(seed / 2 ** 32) | 0;
    this.#c = hashOf(name);
    for (let i = 0; i < 12; i++) this.#next();
  }

  /** Another stream of the same seed. */
  stream(name: string): Chance {
    return new Chance(this.#seed, name);
  }

  /** 0 <= fraction < 1 */
  fraction(): number {
    return this.#next() / 2 ** 32;
  }

  /** A real number, `min` <= number < `max`. */
  between(min: number, max: number): number {
    return min + this.fraction() * (max - min);
  }

  /** A whole number from `min` to `max`, both included. */
  whole(min: number, max: number): number {
    return min + Math.floor(this.fraction() * (max - min + 1));
  }

  /** true in `probability` of all cases. */
  yes(probability: number): boolean {
    return this.fraction() < probability;
  }

  pick<T>(options: readonly [T, ...T[]] | readonly T[]): T {
    return options[Math.floor(this.fraction() * options.length)]!;
  }

  /** One of the keys by weight; weights need not add up to anything. */
  pickWeighted<K extends string>(weights: Readonly<Record<K, number>>): K {
    const entries = Object.entries<number>(weights) as [K, number][];
    let left = this.fraction() * entries.reduce((sum, [, weight]) => sum + weight, 0);
    for (const [key, weight] of entries) {
      left -= weight;
      if (left < 0) return key;
    }
    return entries[0]![0];
  }

  bytes(count: number): Uint8Array {
    return Uint8Array.from({ length: count }, () => this.#next() & 255);
  }

  #next(): number {
    const sum = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0;
    return sum >>> 0;
  }
}

/** FNV-1a. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash;
}
