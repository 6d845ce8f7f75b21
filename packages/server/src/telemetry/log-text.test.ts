import { describe, expect, it } from 'vitest';
import { textLine } from './log-text.ts';

const line = (fields: object) =>
  textLine(JSON.stringify({ level: 'info', time: '2030-01-02T03:04:05.678Z', ...fields, msg: 'transaction succeed' }));

describe('a log line for people', () => {
  it('has time, level, message and fields', () => {
    expect(line({ gid: 'g1', version: 7, hold: null, nodes: ['a'] })).toBe(
      '03:04:05.678 INFO  transaction succeed  gid=g1 version=7 hold=null nodes=["a"]\n',
    );
    expect(line({})).toBe('03:04:05.678 INFO  transaction succeed\n');
  });

  it('quotes values in which it could not be seen where they end', () => {
    expect(line({ reason: 'no money', gid: 'a="b"' })).toContain(' reason="no money" gid="a=\\"b\\""\n');
  });

  it('shows the stack of an error', () => {
    expect(line({ err: { type: 'Error', message: 'x', stack: 'Error: x\n    at y' } })).toContain('err=Error: x\n    at y\n');
  });

  it('stays one line, and lets nothing through that a terminal would obey', () => {
    const spoken = line({ reason: 'x\nFAKE LINE', gid: 'g\u001b[2J', code: 'c\u009b31m', err: { stack: 'E\u001b[0m' } });
    expect(spoken.split('\n')).toHaveLength(2);
    expect(spoken).toContain('reason="x\\nFAKE LINE" gid="g\\u001b[2J" code="c\\u009b31m" err=E\\u001b[0m\n');
  });
});
