/** Where the steps of a message lead: a topic stands for each of its subscribers. */
import { AmendsError, type BranchId, branchIdOfStep, branchIdOfSubscriber } from '@amends/core';

/** Addresses of the subscribers of a topic; undefined: there is no such topic. */
export type SubscribersOf = (topic: string) => readonly string[] | undefined;

/** How the address of a step begins that names a topic. */
export const topicScheme = 'topic://';

/** One branch of a message. */
export interface Delivery {
  readonly branchId: BranchId;
  readonly action: string;
  /** Index of the step in the request. */
  readonly step: number;
}

/**
 * The branches of one step. One subscriber has the plain id of its step, several have one each below it.
 * @throws AmendsError `topic_not_found`
 */
export function listDeliveries(action: string, step: number, subscribersOf: SubscribersOf): readonly Delivery[] {
  const branchId = branchIdOfStep(step);
  if (!action.startsWith(topicScheme)) return [{ branchId, action, step }];
  const subscribers = subscribersOf(action.slice(topicScheme.length)) ?? [];
  if (subscribers.length === 0) throw new AmendsError('topic_not_found', 'topic not found');
  if (subscribers.length === 1) return [{ branchId, action: subscribers[0]!, step }];
  return subscribers.map((url, index) => ({ branchId: branchIdOfSubscriber(branchId, index), action: url, step }));
}
