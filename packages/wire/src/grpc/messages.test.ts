import { describe, expect, test } from 'vitest';
import { grpcMessages } from './messages.ts';
import { dtmMethods, dtmServiceName, healthMethods, healthServiceName } from './methods.ts';
import { protoRoot } from './proto.ts';

/** Number, type and name of each field, as `DtmRequest` has them on the wire. */
function fieldsOf(message: string): readonly string[] {
  return protoRoot()
    .lookupType(message)
    .fieldsArray.map((field) => {
      const type = field.map ? 'map' : field.repeated ? `repeated ${field.type}` : field.type;
      return `${field.id} ${type} ${field.name}`;
    });
}

describe('the messages', () => {
  test.each([
    [
      'DtmTransOptions',
      '1 bool WaitResult, 2 int64 TimeoutToFail, 3 int64 RetryInterval, 5 map BranchHeaders, 6 int64 RequestTimeout, 7 int64 RetryLimit',
    ],
    [
      'DtmRequest',
      '1 string Gid, 2 string TransType, 3 DtmTransOptions TransOptions, 4 string CustomedData, 5 repeated bytes BinPayloads, ' +
        '6 string QueryPrepared, 7 string Steps, 8 map ReqExtra, 9 string RollbackReason',
    ],
    ['DtmGidReply', '1 string Gid'],
    ['DtmBranchRequest', '1 string Gid, 2 string TransType, 3 string BranchID, 4 string Op, 5 map Data, 6 bytes BusiPayload'],
    ['DtmProgressesReply', '1 DtmTransaction Transaction, 2 repeated DtmProgress Progresses'],
    ['DtmTransaction', '1 string Gid, 2 string Status, 3 string RollbackReason, 4 string Result'],
    ['DtmProgress', '1 string Status, 2 bytes BinData, 3 string BranchID, 4 string Op'],
    ['DtmTopicRequest', '1 string Topic, 2 string URL, 3 string Remark'],
  ])('%s has the fields that clients were generated with', (message, fields) => {
    expect(fieldsOf(`dtmgimp.${message}`).join(', ')).toBe(fields);
  });

  test('have defaults for what the bytes do not say', () => {
    expect(grpcMessages.transaction.decode(new Uint8Array())).toEqual({
      Gid: '',
      TransType: '',
      TransOptions: null,
      CustomedData: '',
      BinPayloads: [],
      QueryPrepared: '',
      Steps: '',
      ReqExtra: {},
      RollbackReason: '',
    });
  });

  test.each([[0xff], [0x0a, 5, 0x61], [0x1a, 2, 0x08]])('are not made of bytes that are cut short: %j', (...bytes) => {
    expect(() => grpcMessages.transaction.decode(Uint8Array.from(bytes))).toThrow();
  });

  test.each([
    ['a text', [0x0a, 5, 0x61]],
    ['a text of a message within', [0x1a, 7, 0x2a, 5, 0x0a, 9, 0x61, 0x12, 0x00]],
    ['bytes', [0x2a, 5, 0x61]],
    ['a key of a map', [0x42, 3, 0x0a, 5, 0x61]],
    ['a value of a map', [0x42, 6, 0x0a, 1, 0x61, 0x12, 5, 0x62]],
  ])('are not made of bytes where %s claims more of them than there are', (_what, bytes) => {
    expect(() => grpcMessages.transaction.decode(Uint8Array.from(bytes))).toThrow('index out of range');
    expect(() => grpcMessages.transaction.decode(Buffer.from(bytes))).toThrow('index out of range');
  });

  test.each([[[0xff]], [[0xc3]], [[0xed, 0xa0, 0xbd]], [[0xc0, 0x80]], [[0xf5, 0x80, 0x80, 0x80]]])(
    'are not made of bytes where a text is not UTF-8: %j',
    (text) => {
      const entry = [0x0a, text.length, ...text];
      for (const bytes of [
        [0x0a, text.length, ...text],
        [0x42, entry.length, ...entry],
      ])
        expect(() => grpcMessages.transaction.decode(Uint8Array.from(bytes))).toThrow(/^the text before byte \d+ is not UTF-8$/);
    },
  );

  test('keep every text that is UTF-8, and bytes whatever they are', () => {
    const Gid = '\ufeff上海 😀\u0000';
    const bytes = grpcMessages.transaction.encode({ Gid, BinPayloads: [Buffer.from([0xff])] } as never);
    const { Gid: read, BinPayloads } = grpcMessages.transaction.decode(bytes);
    expect([read, [...BinPayloads[0]!]]).toEqual([Gid, [0xff]]);
  });

  test('have no key that could reach a prototype', () => {
    // DtmBranchRequest { Data: { "__proto__": "x" } }
    const entry = [0x0a, 9, ...Buffer.from('__proto__'), 0x12, 1, 0x78];
    const { Data: fields } = grpcMessages.branch.decode(Uint8Array.from([0x2a, entry.length, ...entry]));
    expect(Object.getPrototypeOf(fields)).toBe(Object.prototype);
    expect(Object.keys(fields).filter((key) => key !== '__proto__')).toEqual([]);
  });
});

test.each([
  [dtmServiceName, dtmMethods],
  [healthServiceName, healthMethods],
])('the rpcs of %s are those of its .proto file', (service, methods) => {
  const declared = protoRoot().lookupService(service).methods;
  expect(Object.keys(methods).sort()).toEqual(Object.keys(declared).sort());
});

test('a workflow is run again by workflow.Workflow/Execute', () => {
  const { Execute: rpc } = protoRoot().lookupService('workflow.Workflow').methods;
  expect([rpc!.requestType, fieldsOf('workflow.WorkflowData')]).toEqual(['WorkflowData', ['1 bytes Data']]);
});
