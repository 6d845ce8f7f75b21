/** A server that cannot start, for a reason that its operator can do something about. */

/** The message names the option and the remedy. */
export class StartError extends Error {
  override readonly name = 'StartError';
}
