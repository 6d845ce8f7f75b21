/** What scenarios find. */

/** What a scenario has found. */
export interface Findings {
  readonly tables: readonly Table[];
  readonly marks: readonly Mark[];
  /** What one must know to read the figures. */
  readonly notes: readonly string[];
  /** Every single measurement, for whoever reads the file. */
  readonly measurements: object;
}

/** Figures for people; the first column is a name. */
export interface Table {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** A figure that has a bound. */
export interface Mark {
  readonly name: string;
  /** null: could not be measured here. */
  readonly value: number | null;
  readonly bound: 'at most' | 'at least';
  readonly limit: number;
  readonly unit: string;
}

/** Whether the bound is kept; null: not measured. */
export function isMet({ value, bound, limit }: Mark): boolean | null {
  if (value === null || Number.isNaN(value)) return null;
  return bound === 'at most' ? value <= limit : value >= limit;
}
