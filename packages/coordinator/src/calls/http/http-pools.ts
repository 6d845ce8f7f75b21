/** Kept-alive connections to participants, by origin. */
import { buildConnector, Pool } from 'undici';
import { checkedLookup } from '../address/checked-lookup.ts';
import { type CheckAddress, refuseForbidden } from '../address/network-address.ts';
import type { ParticipantTls } from '../participant-tls.ts';
import { passOverInterim } from './interim-answers.ts';
import { sendInOnePiece } from './one-piece.ts';

export interface HttpPoolsOptions {
  /** Connections per origin. Default 128. */
  readonly connectionsMax?: number;
  /** Origins whose connections are kept; the one unused longest is closed for another. Default 1,000. */
  readonly originsMax?: number;
  /**
   * Asked at every new connection with the resolved address, so that a name which resolves differently the next time
   * gains nothing. Default: all but link-local, metadata, multicast and reserved addresses may be called.
   */
  readonly checkAddress?: CheckAddress;
  /** For `https:`. Default: the well-known authorities, no certificate of our own. */
  readonly tls?: ParticipantTls;
}

interface UsedPool {
  readonly pool: Pool;
  /** Grows with each use of any. */
  usedAt: number;
}

/** Keeps connections while they are used. */
export class HttpPools {
  readonly #originsMax: number;
  readonly #options: Pool.Options;
  readonly #byOrigin = new Map<string, UsedPool>();
  #uses = 0;

  constructor({ connectionsMax = 128, originsMax = 1_000, checkAddress = refuseForbidden, tls = {} }: HttpPoolsOptions) {
    this.#originsMax = originsMax;
    const connect = connector({ lookup: checkedLookup(checkAddress), ...tls });
    this.#options = { connections: connectionsMax, pipelining: 1, connect };
  }

  /** Whether there have been connections to an origin lately. */
  has(origin: string): boolean {
    return this.#byOrigin.has(origin);
  }

  /** The connections to an origin. */
  take(origin: string): Pool {
    const used = this.#byOrigin.get(origin) ?? this.#open(origin);
    used.usedAt = ++this.#uses;
    return used.pool;
  }

  /** Breaks off every exchange. */
  async destroy(): Promise<void> {
    const all = [...this.#byOrigin.values()];
    await Promise.all(all.map(({ pool }) => pool.destroy()));
    this.#byOrigin.clear();
  }

  #open(origin: string): UsedPool {
    if (this.#byOrigin.size >= this.#originsMax) this.#closeOldest();
    const used = { pool: new Pool(origin, this.#options), usedAt: 0 };
    this.#byOrigin.set(origin, used);
    return used;
  }

  #closeOldest(): void {
    let oldest = '';
    let leastUsedAt = Number.POSITIVE_INFINITY;
    for (const [origin, { pool, usedAt }] of this.#byOrigin) {
      if (usedAt >= leastUsedAt || !isIdle(pool)) continue;
      oldest = origin;
      leastUsedAt = usedAt;
    }
    void this.#byOrigin.get(oldest)?.pool.close();
    this.#byOrigin.delete(oldest);
  }
}

function isIdle({ stats }: Pool): boolean {
  return stats.running === 0 && stats.queued === 0;
}

/** Connects as undici does. */
function connector(options: buildConnector.BuildOptions): buildConnector.connector {
  const connect = buildConnector(options);
  return (place, connected) =>
    connect(place, (...result) => {
      const [error, socket] = result;
      if (error === null) {
        passOverInterim(socket);
        sendInOnePiece(socket);
      }
      connected(...result);
    });
}
