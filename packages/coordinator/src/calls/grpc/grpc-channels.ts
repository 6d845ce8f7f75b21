/** The connections to gRPC servers. A target has one, and more where its server takes no more calls on one. */

import type { ParticipantAddress } from '../../ports/participant-address.ts';
import { GrpcChannel, type GrpcChannelOptions } from './grpc-channel.ts';

/**
 * One target has this many connections at most. A server usually takes a hundred calls on each. A call beyond all of them waits
 * for its turn, and its time runs meanwhile.
 */
const channelsPerTargetMax = 8;

/** Connections of one target, open or not. */
interface UsedChannels {
  channels: readonly GrpcChannel[];
  /** Grows with each use of any. */
  usedAt: number;
}

/** Keeps connections while they are used. */
export class GrpcChannels {
  readonly #options: GrpcChannelOptions;
  readonly #targetsMax: number;
  readonly #byOrigin = new Map<string, UsedChannels>();
  /** All that have not ended, with those that take no more calls. */
  readonly #all = new Set<GrpcChannel>();
  #uses = 0;

  constructor(targetsMax: number, options: GrpcChannelOptions) {
    this.#targetsMax = targetsMax;
    this.#options = options;
  }

  /** Whether there have been connections of a target lately. */
  has({ origin }: ParticipantAddress): boolean {
    return this.#byOrigin.has(origin);
  }

  /** A connection on which a call can be sent at once; where there is none and no more are made, the one with the fewest. */
  take(target: ParticipantAddress): GrpcChannel {
    const used = this.#byOrigin.get(target.origin) ?? this.#add(target);
    used.usedAt = ++this.#uses;
    const withRoom = used.channels.find(({ isOpen, hasRoom }) => isOpen && hasRoom);
    if (withRoom !== undefined) return withRoom;
    const open = used.channels.filter(({ isOpen }) => isOpen);
    if (open.length >= channelsPerTargetMax) return open.reduce((least, each) => (each.calls < least.calls ? each : least));
    const channel = this.#open(target);
    used.channels = [...open, channel];
    return channel;
  }

  /** Breaks off every call. */
  destroy(): void {
    for (const channel of this.#all) channel.destroy();
    this.#byOrigin.clear();
  }

  #add({ origin }: ParticipantAddress): UsedChannels {
    if (this.#byOrigin.size >= this.#targetsMax) this.#closeOldest();
    const used: UsedChannels = { channels: [], usedAt: 0 };
    this.#byOrigin.set(origin, used);
    return used;
  }

  #open(target: ParticipantAddress): GrpcChannel {
    const channel = new GrpcChannel(target, this.#options);
    this.#all.add(channel);
    void channel.ended.then(() => this.#all.delete(channel));
    return channel;
  }

  #closeOldest(): void {
    let oldest = '';
    let leastUsedAt = Number.POSITIVE_INFINITY;
    for (const [origin, { channels, usedAt }] of this.#byOrigin) {
      if (usedAt >= leastUsedAt || channels.some(({ calls }) => calls > 0)) continue;
      oldest = origin;
      leastUsedAt = usedAt;
    }
    for (const channel of this.#byOrigin.get(oldest)?.channels ?? []) channel.destroy();
    this.#byOrigin.delete(oldest);
  }
}
