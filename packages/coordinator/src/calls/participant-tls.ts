/** Certificates by which participants and the coordinator know each other. */

/** For calls over `https://` and `grpcs://`. All texts are PEM. */
export interface ParticipantTls {
  /** Authorities whose certificates participants may show, instead of the well-known ones. */
  readonly ca?: string;
  /** What this coordinator shows to participants that ask for a certificate, its chain included. */
  readonly cert?: string;
  readonly key?: string;
}
