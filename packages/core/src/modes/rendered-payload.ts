/**
 * Payloads that refer to kept answers, as they are sent: the parts of the answers stand between the texts.
 *
 * A reference leads nowhere when the answer is no JSON, or has no such part. Then the call is not made (see `saga.ts`). One
 * kind of nowhere is nothing to stop at: a compensation may refer to the answer of its own action, and an action that was
 * refused, or never answered, has none. The compensation is called all the same, with null in that place: the
 * participant knows by gid and branch whether there is anything to undo.
 */

import { type PayloadReference, pathText, referencesOf } from '../request/payload-template.ts';
import { payloadIndex } from '../request/payloads.ts';
import type { SagaSpec } from '../request/spec.ts';
import type { Given } from '../transaction/given.ts';
import { branchIdOfStep } from '../words/ids.ts';
import { isLongNumber, parseKeepingDigits } from '../words/json-digits.ts';
import type { Way } from '../words/op.ts';
import { textOf, utf8 } from '../words/utf8.ts';

/** The payload of a call as it is sent; null stands where a reference leads nowhere. */
export function renderPayload(given: Given<SagaSpec>, index: number, way: Way): Uint8Array {
  const { spec } = given;
  const payload = payloadIndex(spec, index, way);
  const template = spec.templates?.[payload] ?? null;
  if (template === null) return spec.payloads[payload]!;
  const answerOf = answerReader(given);
  return utf8(
    template.map((piece) => (typeof piece === 'string' ? piece : (findPart(answerOf(piece.from), piece) ?? 'null'))).join(''),
  );
}

/**
 * Why a payload cannot be made: the reference that leads nowhere; null: it can.
 * @param silent the step has not succeeded: that its own answer is not there is nothing to stop at
 */
export function missingAnswer(
  given: Given<SagaSpec>,
  index: number,
  { way, silent }: { way: Way; silent: boolean },
): string | null {
  const { spec } = given;
  const template = spec.templates?.[payloadIndex(spec, index, way)] ?? null;
  if (template === null) return null;
  const answerOf = answerReader(given);
  for (const reference of referencesOf(template)) {
    if (silent && reference.from === spec.steps[index]!.name) continue;
    if (findPart(answerOf(reference.from), reference) === undefined)
      return `the payload refers to ${pathText(reference.path)} of the answer of ${reference.from}, which is not there`;
  }
  return null;
}

/** Each answer is parsed once, however many references lead to it. */
function answerReader({ spec, answers }: Given<SagaSpec>): (name: string) => unknown {
  const known = new Map<string, unknown>();
  return (name) => {
    if (!known.has(name)) {
      const kept = answers.get(branchIdOfStep(spec.steps.findIndex((step) => step.name === name)));
      known.set(name, kept === undefined ? undefined : parseAnswer(kept));
    }
    return known.get(name);
  };
}

/** The JSON text of a part of an answer; undefined: it is not there. */
function findPart(answer: unknown, { path }: PayloadReference): string | undefined {
  let value = answer;
  for (const part of path) {
    if (typeof value !== 'object' || value === null || isLongNumber(value)) return undefined;
    if (Array.isArray(value) !== (typeof part === 'number') || !Object.hasOwn(value, part)) return undefined;
    value = (value as Record<string | number, unknown>)[part];
  }
  return value === undefined ? undefined : JSON.stringify(value);
}

function parseAnswer(bytes: Uint8Array): unknown {
  try {
    return parseKeepingDigits(textOf(bytes));
  } catch {
    return undefined;
  }
}
