/** From DTM's workflow to ours. Its name and input come in `custom_data`, the address that resumes it in `query_prepared`. */
import { refuse, type WorkflowSpec } from '@amends/core';
import { parseJsonText } from '../../input/json-text.ts';
import { readObject, readText } from '../../input/json-values.ts';
import { checkMetadataText } from '../../input/outbound.ts';
import { shown } from '../../input/shown.ts';
import { checkParams, checkTarget } from '../../input/target.ts';
import type { DtmTransaction } from '../transaction.ts';
import { callTimeoutMs, type DtmDefaults, makeAnySpec, retryOf } from './options.ts';

/**
 * The spec of a workflow.
 * @throws AmendsError `invalid_request` naming the field
 */
export function makeWorkflowSpec(dtm: DtmTransaction, defaults: DtmDefaults): WorkflowSpec {
  checkTarget('query_prepared', dtm.query_prepared, dtm.protocol);
  const { name, input } = readInput(dtm.custom_data);
  checkParams('custom_data.data', { target: dtm.query_prepared, protocol: dtm.protocol, payload: input });
  const any = makeAnySpec(dtm, defaults);
  checkMetadataText('custom_data.name', name, any.protocol);
  return {
    ...any,
    mode: 'workflow',
    name,
    resume: dtm.query_prepared,
    payloads: [input],
    callTimeoutMs: callTimeoutMs(dtm, defaults),
    retry: { ...retryOf(dtm, defaults), kind: 'fixed' },
  };
}

function readInput(customData: string): { readonly name: string; readonly input: Uint8Array } {
  const source = readObject('custom_data', customData === '' ? {} : parseJsonText('custom_data', customData));
  const name = readText('custom_data.name', source['name'] ?? '');
  if (name === '') refuse('custom_data.name', 'is missing; give the name of the workflow');
  if (!name.isWellFormed()) refuse('custom_data.name', `is ${shown(name)}, must be well-formed text: it has half of a character`);
  return { name, input: base64('custom_data.data', source['data'] ?? '') };
}

const base64Text = /^[A-Za-z0-9+/]*={0,2}$/;

/** Bytes of a base64 text. @throws AmendsError `invalid_request` naming `field` */
export function base64(field: string, value: unknown): Uint8Array {
  const text = readText(field, value);
  if (!base64Text.test(text)) refuse(field, `is ${shown(text)}, must be base64`);
  return Buffer.from(text, 'base64');
}
