/** The connections to gRPC servers: one per target, more where its server takes no more calls on one. */

import type { ParticipantAddress } from '../../ports/participant-address.ts';
import { GrpcChannel, type GrpcChannelOptions } from './grpc-channel.ts';

/**
 * Connections of one target at most. Servers usually take a hundred calls on each; what waits for its turn beyond them all does
 * so in its own time.
 */
const channelsPerTargetMax = 8;

/** Keeps connections while they are used. */
export class GrpcChannels {
  readonly #options: GrpcChannelOptions;
  readonly #targetsMax: number;
  /** By target, the one unused longest first. */
  readonly #byTarget = new Map<string, readonly GrpcChannel[]>();
  /** Those too that take no more calls and have not ended. */
  readonly #all = new Set<GrpcChannel>();

  constructor(targetsMax: number, options: GrpcChannelOptions) {
    this.#targetsMax = targetsMax;
    this.#options = options;
  }

  /** Whether there have been connections of a target lately. */
  has({ origin }: ParticipantAddress): boolean {
    return this.#byTarget.has(origin);
  }

  /**
   * A connection of a target on which a call can be sent at once; where there is none and no more are made, the one with the
   * fewest.
   */
  take(target: ParticipantAddress): GrpcChannel {
    const known = (this.#byTarget.get(target.origin) ?? []).filter(({ isOpen }) => isOpen);
    this.#byTarget.delete(target.origin);
    if (this.#byTarget.size >= this.#targetsMax) this.#closeOldest();
    const room = known.find(({ hasRoom }) => hasRoom);
    const isMore = room === undefined && known.length < channelsPerTargetMax;
    const channels = isMore ? [...known, this.#open(target)] : known;
    this.#byTarget.set(target.origin, channels);
    return room ?? channels.reduce((least, each) => (each.calls < least.calls ? each : least));
  }

  /** Breaks off every call. */
  destroy(): void {
    for (const channel of this.#all) channel.destroy();
    this.#byTarget.clear();
  }

  #open(target: ParticipantAddress): GrpcChannel {
    const channel = new GrpcChannel(target, this.#options);
    this.#all.add(channel);
    void channel.ended.then(() => this.#all.delete(channel));
    return channel;
  }

  #closeOldest(): void {
    for (const [key, channels] of this.#byTarget) {
      if (channels.some(({ calls }) => calls > 0)) continue;
      this.#byTarget.delete(key);
      for (const channel of channels) channel.destroy();
      return;
    }
  }
}
