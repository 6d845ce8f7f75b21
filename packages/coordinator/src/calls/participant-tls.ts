/** How participants and this coordinator know each other by certificates. */

/** For `https://` and `grpcs://`; all as PEM text. */
export interface ParticipantTls {
  /** Authorities whose certificates participants may show, instead of the well-known ones. */
  readonly ca?: string;
  /** What this coordinator shows to participants that ask for a certificate, its chain included. */
  readonly cert?: string;
  readonly key?: string;
}
