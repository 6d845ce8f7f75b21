/** The address of a participant, taken apart. */

/** What kind of place a network address leads to. */
export type AddressKind = 'loopback' | 'private' | 'forbidden' | 'public';

/** An address that was taken apart once. Whoever calls, groups or judges goes by this. */
export interface ParticipantAddress {
  /** As it was given. */
  readonly text: string;
  /** Which transport can call it; `none`: it is no address. */
  readonly by: 'http' | 'grpc' | 'none';
  /** Whether the connection is encrypted. */
  readonly secure: boolean;
  /** Equal for addresses that are called over the same connections. */
  readonly origin: string;
  /** Host and port as people write them; empty: there are none. */
  readonly host: string;
  /** Name or IP address to connect to, without brackets. */
  readonly hostname: string;
  /** 0: the scheme's own. */
  readonly port: number;
  /** Path and query of a URL; `/package.Service/Method` of a gRPC method. */
  readonly path: string;
  /** `name`: where it leads is known when it is called. */
  readonly kind: AddressKind | 'name';
  /** Why it may never be called; null: it may, or it is a name, which is judged when it is called. */
  readonly forbidden: string | null;
}
