/** How the command ends, and what it says when that is in an error. */
import { AmendsClientError } from '@amends/client';
import { ConfigError, StartError } from '@amends/server/refusals';
import { terminalText } from '@amends/server/terminal-text';

/** Exit codes of the command. */
export const exitCodes = { ok: 0, failed: 1, usage: 2, interrupted: 130 } as const;

/** What a command cannot do, and what helps. */
export class CommandError extends Error {}

/** What the user can do something about is said in a sentence; a bug shows where it came from. */
export function explain(error: unknown): string {
  if (error instanceof AmendsClientError) return terminalText(error.message);
  if (error instanceof ConfigError || error instanceof StartError || error instanceof CommandError) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
