import { AmendsError, type EpochMs, epochMs, limits } from '@amends/core';
import { type CommitAnswer, decorated, openMemoryStore, type Store } from '@amends/store';
import { describe, expect, test } from 'vitest';
import { storedTopics, type Topics } from './topics.ts';

const by = { actor: 'ann', reason: 'test' };
const one = { url: 'http://one.example/', remark: '' };
const two = { url: 'http://two.example/', remark: 'second' };

function topicsOn(store: Store): Topics {
  let clock = 1_000;
  const now = (): EpochMs => epochMs(clock++);
  return storedTopics({ store, now, checkAddress: (address) => (address === '169.254.1.1' ? 'never' : null) });
}

describe('topics of an embedder', () => {
  test('tell who subscribes, and each change is in the audit', async () => {
    const store = openMemoryStore();
    const topics = topicsOn(store);
    expect(await topics.subscribe('news', one, by)).toBe('done');
    expect(await topics.subscribe('news', one, by)).toBe('url_exists');
    expect(await topics.put('news', two, by)).toMatchObject({ version: 2, subscribers: [one, two], createdAt: 1_000 });
    expect(await topics.subscribers(['news', 'olds'])).toEqual(new Map([['news', [one.url, two.url]]]));
    expect(await topics.unsubscribe('news', one.url, by)).toBe('done');
    const acts = await store.audit({ limit: 10 });
    expect(acts.map(({ verb, actor }) => [verb, actor])).toEqual([
      ['unsubscribe', 'ann'],
      ['subscribe', 'ann'],
      ['subscribe', 'ann'],
    ]);
  });

  test('go on with a higher version when a topic is deleted and made again', async () => {
    const topics = topicsOn(openMemoryStore());
    await topics.subscribe('news', one, by);
    expect(await topics.deleteTopic('news', by)).toBe('done');
    expect(await topics.deleteTopic('news', by)).toBe('not_found');
    expect(await topics.get('news')).toBeNull();
    expect(await topics.put('news', two, by)).toMatchObject({ version: 3, subscribers: [two] });
  });

  test('refuse an address that is never called, naming the field', async () => {
    const topics = topicsOn(openMemoryStore());
    const refused = topics.subscribe('news', { url: 'http://169.254.1.1/', remark: '' }, by);
    await expect(refused).rejects.toThrow(AmendsError);
    await expect(refused).rejects.toThrow(/^url: /);
  });

  test('have as many subscribers as are allowed', async () => {
    const topics = topicsOn(openMemoryStore());
    for (let index = 0; index < limits.subscribersMax; index++)
      await topics.subscribe('news', { url: `http://${index}.example/`, remark: '' }, by);
    expect(await topics.subscribe('news', one, by)).toBe('too_many');
    await expect(topics.put('news', one, by)).rejects.toThrow(/^url: the topic has/);
  });

  test.each([
    ['took effect', true],
    ['had none', false],
  ])('are changed once where the answer is lost and the commit %s', async (_what, takesEffect) => {
    const inner = openMemoryStore();
    let isLost = false;
    const lost: CommitAnswer = { fate: 'unknown' };
    const store = decorated(inner, {
      async commit(batch) {
        const isFirst = !isLost;
        isLost = true;
        if (!isFirst) return inner.commit(batch);
        if (takesEffect) await inner.commit(batch);
        return [lost];
      },
    });
    expect(await topicsOn(store).subscribe('news', one, by)).toBe('done');
    expect(await topicsOn(inner).get('news')).toMatchObject({ version: 1, subscribers: [one] });
  });
});
