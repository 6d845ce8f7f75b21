import { type ClientSession, MongoClient } from 'mongodb';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { describeWith } from '../../../../../tools/services/service.ts';
import { freshGid } from '../../../tests/databases.ts';
import { BusinessFailure, NeedsAttention, Ongoing } from '../../participants/verdict.ts';
import { DuplicatedMessage } from '../barrier-rows.ts';
import { mongoBarrier } from './mongodb.ts';

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

  it('runs an action once, and gives each time what it returned', async () => {
    const work = async (session: ClientSession) => {
      await accounts().insertOne({ gid }, { session });
      return { posted: gid };
    };
    for (let i = 0; i < 2; i++) expect(await mongoBarrier(client).run(call('action'), work)).toEqual({ posted: gid });
    expect(await posted()).toBe(1);
  });

  it('never takes for done what was left in the middle', async () => {
    const half = async (session: ClientSession) => {
      await accounts().insertOne({ gid }, { session });
      await session.commitTransaction();
    };
    await expect(mongoBarrier(client).run(call('action'), half)).rejects.toThrow('ended before its time');
    await expect(post('action')).rejects.toThrow(NeedsAttention);
    await expect(post('rollback')).rejects.toThrow('left in the middle');
  });

  it('has the question asked again while a message is under way', async () => {
    const message = { gid, transType: 'msg', branchId: '00', op: 'msg' };
    await mongoBarrier(client).run(message, async () => {
      await expect(mongoBarrier(client).queryPrepared(message)).rejects.toThrow(Ongoing);
    });
    await mongoBarrier(client).queryPrepared(message);
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
