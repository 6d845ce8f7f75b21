/** Remembers the addresses that were taken apart lately, because the same few participants are called again and again. */
import type { ParticipantAddress } from '../../ports/participant-address.ts';
import type { CheckAddress } from './network-address.ts';
import { parseAddress } from './parse-address.ts';

/** The memory of one address: a part of its own, and one for each character. Bytes, as V8 takes them. */
const bytesEach = 400;
const bytesPerCharacter = 4;

/** An address whose query `URL` leaves as it is, so that it can be put behind the path as it was given. */
const isCutAtQuery = /^[^#?]*[^#?\0- ]\?[!$-&(-;=?-~]+$/;

/** Takes addresses apart, and remembers each without its query. So addresses that differ in their query alone take room once. */
export class AddressBook {
  readonly #check: CheckAddress;
  readonly #halfMax: number;
  /** An address that is asked for moves into the younger of two tables. When that is full, the older one is forgotten. */
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

  /** Takes an address apart; never throws. */
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
