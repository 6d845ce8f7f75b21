/** Who acts by hand, as every protocol tells it. */
import { limits, refuse } from '@amends/core';

/**
 * Who acts, by the header `X-Amends-Actor`.
 * @throws AmendsError `invalid_request` when it is too long
 */
export function readActor(header: string | readonly string[] | undefined): string {
  const actor = typeof header === 'string' ? header.trim() : '';
  if (actor.length > limits.actorCharactersMax)
    refuse('X-Amends-Actor', `has ${actor.length} characters, at most ${limits.actorCharactersMax} are allowed`);
  return actor === '' ? 'anonymous' : actor;
}
