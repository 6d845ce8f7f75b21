import { MongoClient } from 'mongodb';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { describeWith } from '../../../tools/services/service.ts';
import { freshGid } from '../tests/databases.ts';
import { DuplicatedMessage } from './barrier-rows.ts';
import { mongoBarrier } from './mongodb.ts';
import { BusinessFailure } from './verdict.ts';

await describeWith('mongodb', 'the barrier in MongoDB', (url) => {
  let client: MongoClient;
  let gid: string;
  const database = freshGid();
  beforeAll(async () => {
    client = await new MongoClient(url).connect();
    await mongoBarrier(client).createTable();
  });
  afterAll(async () => {
    await client.db(database).dropDatabase();
    await client.close();
  });
  beforeEach(() => {
    gid = freshGid();
  });

  const call = (op: string) => ({ gid, transType: 'saga', branchId: '01', op });
  const accounts = () => client.db(database).collection<{ gid: string }>('postings');
  const post = (op: string) =>
    mongoBarrier(client).run(call(op), async (session) => void (await accounts().insertOne({ gid }, { session })));
  const posted = () => accounts().countDocuments({ gid });

  it('runs an action once', async () => {
    await post('action');
    await post('action');
    expect(await posted()).toBe(1);
  });

  it('lets a compensation pass that has nothing to undo, and stops the action that arrives after it', async () => {
    await post('rollback');
    await post('action');
    expect(await posted()).toBe(0);
  });

  it('answers for a message', async () => {
    const message = { gid, transType: 'msg', branchId: '00', op: 'msg' };
    await expect(mongoBarrier(client).queryPrepared(message)).rejects.toThrow(BusinessFailure);
    await expect(mongoBarrier(client).run(message, () => {})).rejects.toThrow(DuplicatedMessage);
  });
});
