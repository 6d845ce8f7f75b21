/** The addresses that were taken apart lately: the same few participants are called again and again. */
import type { ParticipantAddress } from '../../ports/participant-address.ts';
import type { CheckAddress } from './network-address.ts';
import { parseAddress } from './parse-address.ts';

/** What one address takes beside its characters, and how often it holds those. Bytes, as counted on V8. */
const bytesEach = 400;
const bytesPerCharacter = 4;

/** An address whose query `URL` leaves as it is, so that it can be put behind the path as it was given. */
const isCutAtQuery = /^[^#?]*[^#?\0- ]\?[!$-&(-;=?-~]+$/;

/**
 * Takes addresses apart and remembers them, up to its last question mark: what differs in the query alone is one address here.
 */
export class AddressBook {
  readonly #check: CheckAddress;
  readonly #halfMax: number;
  /** Two generations: what is asked for moves to the younger one, and the older one is forgotten when the younger is full. */
  #young = new Map<string, ParticipantAddress>();
  #old = new Map<string, ParticipantAddress>();
  #youngBytes = 0;

  /** @param check judges IP addresses @param bytesMax of what is remembered, default 4 MiB */
  constructor(check: CheckAddress, bytesMax = 4_194_304) {
    this.#check = check;
    this.#halfMax = bytesMax / 2;
  }

  /** Addresses that are remembered. */
  get size(): number {
    return this.#young.size + this.#old.size;
  }

  /** What an address says; it never throws. */
  of(text: string): ParticipantAddress {
    const end = text.indexOf('?');
    return end < 0 ? this.#remember(text) : this.#withQuery(text, end);
  }

  #withQuery(text: string, end: number): ParticipantAddress {
    const base = isCutAtQuery.test(text) ? this.#remember(text.slice(0, end)) : null;
    if (base?.by !== 'http') return parseAddress(text, this.#check);
    return { ...base, text, path: base.path + text.slice(end) };
  }

  #remember(text: string): ParticipantAddress {
    const young = this.#young.get(text);
    if (young !== undefined) return young;
    const address = this.#old.get(text) ?? parseAddress(text, this.#check);
    this.#keep(address);
    return address;
  }

  #keep(address: ParticipantAddress): void {
    const bytes = bytesEach + bytesPerCharacter * address.text.length;
    if (this.#youngBytes + bytes > this.#halfMax) {
      this.#old = this.#young;
      this.#young = new Map();
      this.#youngBytes = 0;
    }
    this.#young.set(address.text, address);
    this.#youngBytes += bytes;
  }
}
