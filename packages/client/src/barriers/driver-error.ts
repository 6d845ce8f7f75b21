/** The errors of database drivers. */

/** The code by which a driver tells its errors apart; undefined: it is no error of a driver. */
export function driverCodeOf(error: unknown): unknown {
  return (error as { readonly code?: unknown } | null | undefined)?.code;
}
