/** Topics: names under which several addresses receive a message. */

/** Who subscribes to what. */
export interface Topics {
  /** Addresses that subscribe to each of these topics, as of now; a topic that does not exist is left out. */
  subscribers(names: readonly string[]): Promise<ReadonlyMap<string, readonly string[]>>;
}

/** Where there are no topics. */
export const noTopics: Topics = { subscribers: async () => new Map() };
