/** Documents with their own compare-and-swap, and audit rows. */
import { expect } from 'vitest';
import type { DocumentChange } from '../store.ts';
import type { StoreTest, Subject } from './harness.ts';
import { firstChange, gidOf, looseChange, nextChange, sampleAudit, sampleRow } from './samples.ts';

const gid = gidOf('one');

function topic(key: string, expectedVersion: number, content: string | null): DocumentChange {
  return { kind: 'topic', key, expectedVersion, content };
}

/** Commits documents with the transaction's next change. */
async function write(subject: Subject, documents: readonly DocumentChange[]): Promise<string> {
  const [stored] = await subject.store.load([gid]);
  const change = stored === null ? firstChange(gid, {}, { documents }) : nextChange(stored!.row, {}, { documents });
  return (await subject.commitOne(change)).fate;
}

/** Declares the topic. */
export function documentContract(test: StoreTest): void {
  test('documents are created, replaced, deleted and created anew', async (subject) => {
    expect(await write(subject, [topic('a', 0, '1')])).toBe('applied');
    expect(await write(subject, [topic('a', 1, '2')])).toBe('applied');
    expect(await subject.store.documents('topic', 'a')).toEqual([{ kind: 'topic', key: 'a', version: 2, content: '2' }]);
    expect(await write(subject, [topic('a', 2, null)])).toBe('applied');
    expect(await subject.store.documents('topic')).toEqual([]);
    expect(await write(subject, [topic('a', 0, '3')])).toBe('applied');
    expect(await subject.store.documents('topic')).toEqual([{ kind: 'topic', key: 'a', version: 1, content: '3' }]);
  });

  test('a document that is not as expected makes the whole change a conflict', async (subject) => {
    await write(subject, [topic('a', 0, '1')]);
    for (const wrong of [
      topic('a', 0, 'x'),
      topic('a', 2, 'x'),
      topic('a', 2, null),
      topic('absent', 1, 'x'),
      topic('absent', 1, null),
    ])
      expect(await write(subject, [topic('other', 0, 'y'), wrong])).toBe('conflict');
    expect(await subject.store.documents('topic')).toEqual([{ kind: 'topic', key: 'a', version: 1, content: '1' }]);
    expect((await subject.loadOne(gid)).row.version).toBe(1);
    expect(await subject.historyOf(gid)).toHaveLength(1);
  });

  test('documents are read by kind and key, in order of key', async (subject) => {
    await write(subject, [topic('b', 0, '1'), topic('a', 0, "it's"), { ...topic('a', 0, '3'), kind: 'node' }]);
    expect((await subject.store.documents('topic')).map((one) => one.key)).toEqual(['a', 'b']);
    expect((await subject.store.documents('topic', 'a')).map((one) => one.content)).toEqual(["it's"]);
    expect(await subject.store.documents('topic', 'absent')).toEqual([]);
    expect(await subject.store.documents('absent')).toEqual([]);
  });

  test('documents and audit rows change without a transaction, together or not at all', async ({ store, commitOne, applied }) => {
    await applied(looseChange({ documents: [topic('a', 0, '1')], audit: [sampleAudit('', { verb: 'subscribe' })] }));
    await applied(looseChange({ documents: [topic('a', 1, '2'), topic('b', 0, '1')] }));
    await applied(looseChange({ audit: [sampleAudit('', { verb: 'look' })] }));
    const late = looseChange({
      documents: [topic('b', 1, null), topic('a', 1, 'x')],
      audit: [sampleAudit('', { verb: 'late' })],
    });
    expect(await commitOne(late)).toEqual({ fate: 'conflict' });
    expect((await store.documents('topic')).map(({ key, version, content }) => [key, version, content])).toEqual([
      ['a', 2, '2'],
      ['b', 1, '1'],
    ]);
    expect((await store.audit({ limit: 9 })).map(({ gid: of, verb }) => [of, verb])).toEqual([
      ['', 'look'],
      ['', 'subscribe'],
    ]);
    expect((await store.list({ limit: 9 })).rows).toEqual([]);
  });

  test('loose changes and those of transactions are applied side by side, each for itself', async ({ store }) => {
    const answers = await store.commit([
      looseChange({ documents: [topic('a', 0, '1')] }),
      firstChange(gid, {}, { documents: [topic('b', 0, '1')] }),
      looseChange({ documents: [topic('c', 7, '1')] }),
      firstChange(gidOf('two')),
    ]);
    expect(answers.map(({ fate }) => fate)).toEqual(['applied', 'applied', 'conflict', 'applied']);
    expect((await store.documents('topic')).map(({ key }) => key)).toEqual(['a', 'b']);
    expect(await store.load([gid, gidOf('two')])).not.toContain(null);
  });

  test('of many who change one document at once, one wins each time and nothing is lost', async ({ store, commitOne }) => {
    const add = async (name: string): Promise<void> => {
      for (;;) {
        const [found] = await store.documents('topic', 'a');
        const content = found === undefined ? name : `${found.content} ${name}`;
        const { fate } = await commitOne(looseChange({ documents: [topic('a', found?.version ?? 0, content)] }));
        if (fate === 'applied') return;
      }
    };
    const names = Array.from({ length: 10 }, (_, index) => `n${index}`);
    await Promise.all(names.map(add));
    const [after] = await store.documents('topic', 'a');
    expect([after!.version, after!.content.split(' ').toSorted()]).toEqual([10, names]);
  });

  test('audit rows are read newest first, by gid and by page', async ({ store, applied }) => {
    await applied(firstChange(gid, {}, { audit: [sampleAudit(gid, { verb: 'a' })] }));
    await applied(firstChange(gidOf('two'), {}, { audit: [sampleAudit(gidOf('two'), { verb: 'b' })] }));
    await applied(nextChange(sampleRow(gid), {}, { audit: [sampleAudit(gid, { verb: 'c' }), sampleAudit(gid, { verb: 'd' })] }));
    const all = await store.audit({ limit: 9 });
    expect(all.map((row) => row.verb)).toEqual(['d', 'c', 'b', 'a']);
    expect(all.map((row) => row.id)).toEqual(all.map((row) => row.id).toSorted((a, b) => b - a));
    expect((await store.audit({ gid, limit: 2 })).map((row) => row.verb)).toEqual(['d', 'c']);
    expect((await store.audit({ gid, beforeId: all[1]!.id, limit: 9 })).map((row) => row.verb)).toEqual(['a']);
  });
}
