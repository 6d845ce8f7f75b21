/** The two ways a transaction can go, and what is called on its branches by them. */

/**
 * What is called on a branch, by the name that participants know. Forward: `action` (saga, msg), `confirm` (tcc), `commit`
 * (xa); backward: `compensate`, `cancel`, `rollback`. `msg` asks whether a message's local transaction was committed,
 * `resume` lets a workflow's function run again.
 */
export type Op = 'action' | 'compensate' | 'confirm' | 'cancel' | 'commit' | 'rollback' | 'msg' | 'resume';

/** Both ways. */
export const ways = ['forward', 'backward'] as const;

/** Towards all of it done, or towards all of it undone. */
export type Way = (typeof ways)[number];
