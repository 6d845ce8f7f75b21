/** Results that are no refusals as JSON, by HTTP and by JSON-RPC. */
import type { DtmRefusal, DtmResult } from '../result.ts';
import { workflowBody } from './query.ts';

const success = Object.freeze({ dtm_result: 'SUCCESS' });

/** The JSON of a result. */
export function resultBody(result: Exclude<DtmResult, DtmRefusal>): object {
  switch (result.kind) {
    case 'done':
      return success;
    case 'gid':
      return { dtm_result: 'SUCCESS', gid: result.gid };
    case 'workflow':
      return workflowBody(result.record);
    case 'found':
      return result.body;
  }
}
