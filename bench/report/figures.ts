/** Numbers as people read them; a dash for what was not measured. */

/** With so many digits after the point. */
export function decimal(value: number | null, digits = 0): string {
  if (value === null || Number.isNaN(value)) return '-';
  return value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

/** Bytes in megabytes (10^6). */
export function megabytes(bytes: number | null | undefined): string {
  return decimal(bytes === undefined || bytes === null ? null : bytes / 1e6);
}
