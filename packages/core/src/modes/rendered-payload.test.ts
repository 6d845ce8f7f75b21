import { describe, expect, it } from 'vitest';
import { type PayloadTemplate, payloadTemplate } from '../request/payload-template.ts';
import type { SagaSpec } from '../request/spec.ts';
import { givenAtFirst } from '../transaction/given.ts';
import { branchIdOfStep } from '../words/ids.ts';
import { defaultRetry } from '../words/retry.ts';
import { renderPayload } from './rendered-payload.ts';

function refuse(complaint: string): never {
  throw new Error(complaint);
}

/** What is sent for a payload when the step `a` has answered so. */
function sent(payload: string, answer: string | Uint8Array): string {
  const step = { kind: 'compensatable', action: 'http://x/', compensate: '', timeoutMs: 1 } as const;
  const steps = [
    { ...step, name: 'a', keepAnswer: true, after: [], actionRetry: defaultRetry, compensateRetry: defaultRetry },
    { ...step, after: [0], actionRetry: defaultRetry, compensateRetry: defaultRetry },
  ] as const;
  const templates: (PayloadTemplate | null)[] = [null, payloadTemplate(JSON.parse(payload), refuse)];
  const rest = {
    timeoutMs: null,
    timeoutReason: '',
    headers: {},
    face: 'native',
    alarmAfterMs: null,
    trace: null,
    presentation: {},
  } as const;
  const spec: SagaSpec = { ...rest, mode: 'saga', steps, templates, payloads: [new Uint8Array(), Buffer.from('as it is')] };
  const answers = new Map([[branchIdOfStep(0), Buffer.from(answer)]]);
  return Buffer.from(renderPayload({ ...givenAtFirst(spec), answers }, 1, 'forward')).toString();
}

const from = (path: string) => JSON.stringify({ $from: 'a', path });

describe('a payload that refers to an answer', () => {
  it.each([
    ['$', '{"b":[1, 2]}', '{"b":[1,2]}'],
    ['$.b[1]', '{"b":[1,2]}', '2'],
    ['$[0][1].c-d', '[[0,{"c-d":"x"}]]', '"x"'],
    ['$.名', '{"名":"é😀\\ud800"}', '"é😀\\ud800"'],
    ['$.n', '{"n":12345678901234567890.10}', '12345678901234567890.10'],
    ['$.n', '{"n":null}', 'null'],
    ['$.n', '{"n":false}', 'false'],
  ])('has the part %s of %s in that place', (path, answer, part) => {
    expect(sent(`{"x":[${from(path)}],"y":"ü"}`, answer)).toBe(`{"x":[${part}],"y":"ü"}`);
  });

  it.each([
    ['$.b', '{}'],
    ['$.b', '[]'],
    ['$[0]', '{"0":1}'],
    ['$.length', '[1]'],
    ['$.length', '"text"'],
    ['$.toString', '{}'],
    ['$.n.rawJSON', '{"n":12345678901234567890}'],
    ['$', 'no JSON'],
    ['$', ''],
    ['$', Uint8Array.of(0xff)],
  ])('has null where the part %s of %s is not there', (path, answer) => {
    expect(sent(from(path), answer)).toBe('null');
  });

  it('keeps all that is around the references', () => {
    expect(sent(`{"a":{},"b":[],"c":[[],{"d":${from('$')}}],"e":"\\"$from\\"","f":[true,null,-1.5]}`, '7')).toBe(
      '{"a":{},"b":[],"c":[[],{"d":7}],"e":"\\"$from\\"","f":[true,null,-1.5]}',
    );
  });

  it('is sent as it is when it refers to nothing', () => {
    expect(sent('{"from":"a"}', '7')).toBe('as it is');
  });

  it.each([
    ['{"$from":7}', /\$from that is not the name of a step/],
    ['{"$from":"a","path":7}', /refers to the path 7/],
    ['{"$from":"a","path":"id"}', /refers to the path "id", must be of the form/],
    ['{"$from":"a","path":"$..id"}', /refers to the path/],
    ['{"$from":"a","path":"$.a[*]"}', /refers to the path/],
    ['{"$from":"a","path":"$.a["}', /refers to the path/],
    ['{"$from":"a","path":"$.a\\n"}', /refers to the path/],
    ['{"$from":"a","pfad":"$.a"}', /has "pfad" beside \$from/],
  ])('is refused for %s', (payload, message) => {
    expect(() => payloadTemplate(JSON.parse(payload), refuse)).toThrow(message);
  });
});
