/** Milliseconds of one of each unit. */
const unitMs: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Milliseconds of a time such as `7d`, whose form the schema has checked; null: `off`. */
export function retentionMs(text: string): number | null {
  return text === 'off' ? null : Number(text.slice(0, -1)) * unitMs[text.at(-1)!]!;
}
