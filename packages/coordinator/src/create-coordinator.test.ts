import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  AmendsError,
  defaultRetry,
  encodeSpec,
  type Gid,
  nodeId,
  type Outcome,
  parseGid,
  type RetryPolicy,
  type SagaSpec,
} from '@amends/core';
import { decorated, openMemoryStore, type Store } from '@amends/store';
import { afterEach, describe, expect, test } from 'vitest';
import type { Coordinator } from './coordinator.ts';
import { type CoordinatorOptions, createCoordinator } from './create-coordinator.ts';
import type { Transport } from './ports/ports.ts';

const running: { servers: Server[]; coordinators: Coordinator[] } = { servers: [], coordinators: [] };

afterEach(async () => {
  await Promise.all(running.coordinators.splice(0).map((each) => each.stop({ graceMs: 100 })));
  for (const server of running.servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

interface Participant {
  readonly url: string;
  /** `op path` of every call, in order. */
  readonly calls: string[];
  /** Status to answer by path; a function decides per call; default 200. */
  readonly answers: Record<string, number | (() => number | Promise<number>)>;
}

async function participant(): Promise<Participant> {
  const calls: string[] = [];
  const answers: Participant['answers'] = {};
  const server = createServer(async (request, response) => {
    const { pathname, searchParams } = new URL(request.url!, 'http://x');
    calls.push(`${searchParams.get('op')} ${pathname}`);
    const answer = answers[pathname] ?? 200;
    response.writeHead(typeof answer === 'number' ? answer : await answer()).end('{"message":"said so"}');
  });
  running.servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, calls, answers };
}

async function coordinator(options: Partial<CoordinatorOptions> & { store: Store }): Promise<Coordinator> {
  const made = createCoordinator({ heartbeatEveryMs: 20, timeToLiveMs: 200, claimEveryMs: 20, ...options });
  running.coordinators.push(made);
  await made.start();
  return made;
}

const quickly: RetryPolicy = { ...defaultRetry, kind: 'fixed', delayMs: 20 };

function saga(url: string, names: readonly string[], rest: Partial<SagaSpec> = {}): SagaSpec {
  const steps = names.map((name, index) => ({
    kind: 'compensatable' as const,
    action: `${url}/${name}`,
    compensate: `${url}/un${name}`,
    timeoutMs: 2_000,
    actionRetry: quickly,
    compensateRetry: quickly,
    after: index === 0 ? [] : [index - 1],
  }));
  const payloads = names.map((name) => Buffer.from(JSON.stringify({ name })));
  return {
    mode: 'saga',
    steps,
    payloads,
    timeoutMs: null,
    timeoutReason: 'late',
    alarmAfterMs: null,
    headers: {},
    face: 'native',
    trace: null,
    presentation: {},
    ...rest,
  };
}

/** Waits through quiet pauses until the end. */
async function end(of: Coordinator, gid: Gid): Promise<string> {
  for (;;) {
    const view = await of.wait(gid, { waitMs: 5_000 });
    if (view!.transaction.finishedAt !== null || view!.transaction.hold !== null) return view!.transaction.status;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

test('its users get what its type says, and nothing of what its mailboxes need', () => {
  const made: object = createCoordinator({ store: openMemoryStore() });
  expect(Object.keys(made).toSorted()).toEqual(
    'audit calling get health history intervene list newGid now prepare request start stop submit wait'.split(' '),
  );
  expect(Object.getPrototypeOf(made)).toBe(Object.prototype);
});

describe('a transaction', () => {
  test('whose participant fails is seen in the log, once, and so is that it answers again', async () => {
    const bank = await participant();
    const answers = [500, 500, 500, 200];
    bank.answers['/a'] = () => answers.shift()!;
    const warnings: string[] = [];
    const warn = ({ host, code, failures }: Readonly<Record<string, unknown>>, message: string) =>
      warnings.push(`${host} ${code} ${failures} ${message}`);
    const amends = await coordinator({ store: openMemoryStore(), log: { debug() {}, info() {}, warn, error() {} } });
    const gid = amends.newGid();
    await amends.submit({ gid, spec: saga(bank.url, ['a']) });
    expect(await end(amends, gid)).toBe('succeed');
    const { host } = new URL(bank.url);
    expect(warnings).toEqual([
      `${host} http_500 1 calls of a participant fail`,
      `${host} undefined 2 a participant answers again`,
    ]);
  });

  test('runs to its end, and tells its history', async () => {
    const bank = await participant();
    const amends = await coordinator({ store: openMemoryStore() });
    const gid = amends.newGid();
    const submitted = await amends.submit({ gid, spec: saga(bank.url, ['a', 'b']) });
    expect(submitted).toMatchObject({ verdict: 'created', view: { transaction: { gid, status: 'submitted' } } });
    expect((await amends.wait(gid, { waitMs: 5_000 }))!.transaction.status).toBe('succeed');
    expect(bank.calls).toEqual(['action /a', 'action /b']);
    const history = await amends.history(gid, { afterSeq: 0, limit: 10 });
    expect(history.map(({ kind, branchId, outcome }) => [kind, branchId, outcome])).toEqual([
      ['submitted', null, null],
      ['answered', '01', 'success'],
      ['answered', '02', 'success'],
    ]);
  });

  test('that a participant refuses is undone in reverse', async () => {
    const bank = await participant();
    bank.answers['/b'] = 409;
    const amends = await coordinator({ store: openMemoryStore() });
    const gid = parseGid('refused');
    await amends.submit({ gid, spec: saga(bank.url, ['a', 'b', 'c']) });
    const view = await amends.wait(gid, { waitMs: 5_000 });
    expect(view!.transaction).toMatchObject({ status: 'failed', reason: 'step 02: said so' });
    expect(bank.calls).toEqual(['action /a', 'action /b', 'compensate /unb', 'compensate /una']);
  });

  test('submitted again with the same content is repeated, with other content different; nothing runs twice', async () => {
    const bank = await participant();
    const amends = await coordinator({ store: openMemoryStore() });
    const gid = parseGid('twice');
    const spec = saga(bank.url, ['a']);
    const both = await Promise.all([amends.submit({ gid, spec }), amends.submit({ gid, spec })]);
    expect(both.map(({ verdict }) => verdict).sort()).toEqual(['created', 'repeated']);
    await end(amends, gid);
    expect((await amends.submit({ gid, spec })).verdict).toBe('repeated');
    expect((await amends.submit({ gid, spec: saga(bank.url, ['other']) })).verdict).toBe('different');
    expect(bank.calls).toEqual(['action /a']);
  });

  test('that waits for a later retry lets the waiting caller go', async () => {
    const bank = await participant();
    bank.answers['/a'] = 500;
    const amends = await coordinator({ store: openMemoryStore() });
    const gid = parseGid('later');
    const spec = saga(bank.url, ['a']);
    const slow = { ...spec, steps: spec.steps.map((step) => ({ ...step, actionRetry: { ...quickly, delayMs: 60_000 } })) };
    await amends.submit({ gid, spec: slow });
    const view = await amends.wait(gid, { waitMs: 60_000 });
    expect(view!.transaction).toMatchObject({ status: 'submitted', owner: null });
    expect(view!.wakeAt).toBeGreaterThan(amends.now() + 50_000);
  });

  test('can be tried again at once, or ended, by a human, on the version that was seen', async () => {
    const bank = await participant();
    bank.answers['/a'] = 500;
    const amends = await coordinator({ store: openMemoryStore() });
    const gid = parseGid('by-hand');
    const spec = saga(bank.url, ['a']);
    const patient = {
      ...spec,
      steps: spec.steps.map((step) => ({ ...step, actionRetry: { ...quickly, delayMs: 3_600_000, delayMsMax: 3_600_000 } })),
    };
    await amends.submit({ gid, spec: patient });
    const before = await amends.wait(gid, { waitMs: 5_000 });
    const act = { gid, actor: 'alice', reason: 'bank is back' };
    const stale = amends.intervene({ ...act, verb: 'retry', expectedVersion: before!.transaction.version - 1 });
    await expect(stale).rejects.toMatchObject({ code: 'version_conflict' });
    expect((await amends.health()).live).toBe(0);
    await amends.intervene({ ...act, verb: 'retry', expectedVersion: before!.transaction.version });
    const after = await amends.wait(gid, { waitMs: 5_000 });
    expect(bank.calls).toEqual(['action /a', 'action /a']);
    const ended = await amends.intervene({ ...act, verb: 'terminate', expectedVersion: after!.transaction.version });
    expect(ended.transaction).toMatchObject({ status: 'failed', reason: 'terminated by alice: bank is back' });
    await expect(amends.intervene({ ...act, verb: 'terminate', expectedVersion: null })).rejects.toMatchObject({
      code: 'already_finished',
    });
    await expect(amends.intervene({ ...act, gid: parseGid('none'), verb: 'retry', expectedVersion: null })).rejects.toMatchObject(
      { code: 'not_found' },
    );
  });
});

/** Fails or mangles commits as the test says; everything else goes through. */
function faulty(
  store: Store,
  commit: (real: Store['commit'], changes: Parameters<Store['commit']>[0]) => ReturnType<Store['commit']>,
): Store {
  return decorated(store, { commit: (changes) => commit(store.commit.bind(store), changes) });
}

describe('among others on one store', () => {
  test('a node that claims a transaction while it is submitted there again drives it on', async () => {
    const bank = await participant();
    const shared = openMemoryStore();
    const gid = parseGid('crossing');
    const spec = saga(bank.url, ['a']);
    const first = await coordinator({ store: shared });
    bank.answers['/a'] = () => new Promise(() => {});
    await first.submit({ gid, spec });
    await first.stop({ graceMs: 0 });
    bank.answers['/a'] = 200;
    const [submitted, claimed] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const store = faulty(shared, async (real, changes) => {
      submitted.resolve();
      await claimed.promise;
      return real(changes);
    });
    store.claim = async (request) => {
      await submitted.promise;
      const found = await shared.claim(request);
      if (found.length > 0) claimed.resolve();
      return found;
    };
    const second = await coordinator({ store });
    expect((await second.submit({ gid, spec })).verdict).toBe('repeated');
    expect(await end(second, gid)).toBe('succeed');
  });

  test('a node that gets its work back from a dead one does not wait for the calls of that one', async () => {
    const bank = await participant();
    const shared = openMemoryStore();
    const [held, claimedBack] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    let commits = 0;
    const cutOff = faulty(shared, async (real, changes) => {
      commits += 1;
      if (commits === 2) {
        held.resolve();
        await claimedBack.promise;
      }
      return real(changes);
    });
    let alive = true;
    cutOff.heartbeat = async (beat) => {
      if (!alive) throw new AmendsError('store_unavailable', 'cut off');
      return shared.heartbeat(beat);
    };
    cutOff.claim = async (request) => {
      const claimed = await shared.claim(request);
      if (claimed.length > 0) claimedBack.resolve();
      return claimed;
    };
    const first = await coordinator({ store: cutOff });
    const gid = parseGid('back');
    const spec = saga(bank.url, ['a', 'b']);
    bank.answers['/b'] = () => new Promise(() => {});
    await first.submit({ gid, spec: { ...spec, steps: spec.steps.map((step) => ({ ...step, after: [] })) } });
    await held.promise;
    alive = false;
    const second = await coordinator({ store: shared });
    bank.answers['/a'] = () => new Promise(() => {});
    while (bank.calls.length < 4) await new Promise((resolve) => setImmediate(resolve));
    bank.answers['/a'] = 200;
    bank.answers['/b'] = 200;
    await second.stop({ graceMs: 0 });
    expect(await end(first, gid)).toBe('succeed');
  });

  test('what a dead node was doing is done by the next one', async () => {
    const bank = await participant();
    const store = openMemoryStore();
    const first = await coordinator({ store });
    let release: (status: number) => void = () => {};
    const asked = new Promise<void>((resolve) => {
      bank.answers['/a'] = () => {
        resolve();
        return new Promise<number>((answer) => {
          release = answer;
        });
      };
    });
    const gid = parseGid('orphan');
    await first.submit({ gid, spec: saga(bank.url, ['a', 'b']) });
    await asked;
    await first.stop({ graceMs: 0 });
    bank.answers['/a'] = 200;
    const second = await coordinator({ store });
    expect(await end(second, gid)).toBe('succeed');
    release(200);
    const kinds = (await second.history(gid, { afterSeq: 0, limit: 10 })).map(({ kind }) => kind);
    expect(kinds).toEqual(['submitted', 'interrupted', 'answered', 'answered']);
    expect(bank.calls).toEqual(['action /a', 'action /a', 'action /b']);
  });

  test.each([
    ['cannot be read', '{'],
    ['does not fit its plan', '[1,0,0,0,[],0]'],
  ])('a damaged transaction that %s goes on hold; those claimed with it are driven on', async (_, state) => {
    const bank = await participant();
    const shared = openMemoryStore();
    const first = await coordinator({ store: shared });
    bank.answers['/a'] = () => new Promise(() => {});
    const gids = ['damaged', 'sound', 'sound too'].map(parseGid);
    for (const gid of gids) await first.submit({ gid, spec: saga(bank.url, ['a']) });
    await first.stop({ graceMs: 0 });
    bank.answers['/a'] = 200;
    let fails = false;
    const asked = Promise.withResolvers<readonly Gid[]>();
    const claim: Store['claim'] = async (request) => {
      if (request.driven !== undefined) asked.resolve(request.driven);
      if (fails) throw new AmendsError('store_unavailable', 'cut off');
      const claimed = await shared.claim(request);
      return claimed.map((each) => (each.row.gid === 'damaged' ? { ...each, row: { ...each.row, state } } : each));
    };
    const errors: Readonly<Record<string, unknown>>[] = [];
    const log = { debug() {}, info() {}, warn() {}, error: (fields: Readonly<Record<string, unknown>>) => errors.push(fields) };
    const second = await coordinator({ store: decorated(shared, { claim }), log });
    for (const gid of gids.slice(1)) expect(await end(second, gid)).toBe('succeed');
    await expect.poll(() => shared.list({ held: true, limit: 9 })).toMatchObject({ rows: [{ hold: 'unreadable', owner: null }] });
    expect((await second.health()).live).toBe(0);
    fails = true;
    expect(await asked.promise).toEqual([]);
    expect(errors.map(({ gid }) => gid)).toEqual(['damaged']);
  });

  test('any node waits for, and acts on, what another one drives', async () => {
    const bank = await participant();
    const store = openMemoryStore();
    const [first, second] = [await coordinator({ store }), await coordinator({ store })];
    bank.answers['/a'] = 425;
    const gid = parseGid('elsewhere');
    await first.submit({ gid, spec: saga(bank.url, ['a']) });
    bank.answers['/a'] = 200;
    expect(await end(second, gid)).toBe('succeed');
    bank.answers['/b'] = () => new Promise(() => {});
    const other = parseGid('taken');
    await first.submit({ gid: other, spec: saga(bank.url, ['b']) });
    const ended = await second.intervene({
      gid: other,
      verb: 'terminate',
      actor: 'bob',
      reason: 'enough',
      expectedVersion: null,
    });
    expect(ended.transaction.status).toBe('failed');
    expect((await first.get(other))!.transaction.gid).toBe(other);
  });
});

describe('when the store fails', () => {
  test.each(['applied', 'lost'])(
    'a commit of unknown fate that was %s is read back, and everything is done once (DRIVE-4)',
    async (fate) => {
      const bank = await participant();
      let odd = 0;
      const store = faulty(openMemoryStore(), async (real, changes) => {
        odd += 1;
        if (odd % 2 === 0) return real(changes);
        if (fate === 'applied') await real(changes);
        return changes.map(() => ({ fate: 'unknown' }) as const);
      });
      const amends = await coordinator({ store });
      const gid = parseGid(`unknown-${fate}`);
      expect((await amends.submit({ gid, spec: saga(bank.url, ['a', 'b']) })).verdict).toBe('created');
      expect(await end(amends, gid)).toBe('succeed');
      expect(bank.calls).toEqual(['action /a', 'action /b']);
    },
  );

  test('a submit of unknown fate that is applied late is driven on, though trying it again failed', async () => {
    const bank = await participant();
    let tries = 0;
    let late = () => {};
    const store = faulty(openMemoryStore(), async (real, changes) => {
      tries += 1;
      if (tries === 1) {
        late = () => void real(changes);
        return changes.map(() => ({ fate: 'unknown' }) as const);
      }
      if (tries > 2) return real(changes);
      late();
      throw new AmendsError('store_unavailable', 'connection lost');
    });
    const amends = await coordinator({ store });
    const gid = parseGid('late');
    expect((await amends.submit({ gid, spec: saga(bank.url, ['a']) })).verdict).toBe('created');
    expect(await end(amends, gid)).toBe('succeed');
    expect(bank.calls).toEqual(['action /a']);
  });

  test.each(['an error', 'nothing'])(
    'what a claim has taken is driven on although %s came back; what is driven here is left alone',
    async (what) => {
      const bank = await participant();
      const shared = openMemoryStore();
      const first = await coordinator({ store: decorated(shared, { claim: async () => [] }) });
      const never = () => new Promise<number>(() => {});
      Object.assign(bank.answers, { '/a': never, '/b': never });
      const gid = parseGid('lost');
      await first.submit({ gid, spec: saga(bank.url, ['a']) });
      while (bank.calls.length < 1) await new Promise((resolve) => setImmediate(resolve));
      let loses = false;
      const claim: Store['claim'] = async (request) => {
        const claimed = await shared.claim(request);
        if (!loses || claimed.length === 0) return claimed;
        loses = false;
        if (what === 'nothing') return new Promise(() => {});
        throw new AmendsError('store_unavailable', 'connection lost');
      };
      const second = await coordinator({ store: decorated(shared, { claim }) });
      const own = parseGid('own');
      await second.submit({ gid: own, spec: saga(bank.url, ['b']) });
      loses = true;
      await first.stop({ graceMs: 0 });
      bank.answers['/a'] = 200;
      expect(await end(second, gid)).toBe('succeed');
      expect((await second.get(own))!.transaction).toMatchObject({ epoch: 1, version: 1 });
    },
  );

  test('an act by hand whose commit has an unknown fate is not done again when a claim of the own node came after it', async () => {
    const bank = await participant();
    bank.answers['/a'] = 500;
    const real = openMemoryStore();
    const store = decorated(real, {});
    const node = nodeId('own');
    const amends = await coordinator({ store, node, claimEveryMs: 3_600_000 });
    const gid = parseGid('overtaken');
    const spec = saga(bank.url, ['a']);
    const steps = spec.steps.map((step) => ({ ...step, actionRetry: { ...quickly, delayMs: 25_000 } }));
    await amends.submit({ gid, spec: { ...spec, steps } });
    await amends.wait(gid, { waitMs: 5_000 });
    bank.answers['/a'] = 200;
    store.commit = async (changes) => {
      store.commit = (others) => real.commit(others);
      await real.commit(changes);
      const claimed = await real.claim({ node, dueBefore: amends.now(), limit: 10, driven: [] });
      expect(claimed.map(({ row }) => row.gid)).toEqual([gid]);
      return changes.map(() => ({ fate: 'unknown' }) as const);
    };
    await amends.intervene({ gid, verb: 'retry', actor: 'alice', reason: 'bank is back', expectedVersion: null });
    expect(await end(amends, gid)).toBe('succeed');
    const kinds = (await amends.history(gid, { afterSeq: 0, limit: 10 })).map(({ kind }) => kind);
    expect(kinds).toEqual(['submitted', 'answered', 'retried', 'interrupted', 'answered']);
    expect(await real.audit({ gid, limit: 10 })).toHaveLength(1);
  });

  test('a claim of what is lost that crosses a submit leaves the calls of that one alone', async () => {
    const bank = await participant();
    const shared = openMemoryStore();
    const [asked, called] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    let claims = 0;
    const claim: Store['claim'] = async (request) => {
      claims += 1;
      if (claims === 1) throw new AmendsError('store_unavailable', 'connection lost');
      if (claims === 2) {
        asked.resolve();
        await called.promise;
      }
      return shared.claim(request);
    };
    const amends = await coordinator({ store: decorated(shared, { claim }), timeToLiveMs: 5_000 });
    await asked.promise;
    const answer = Promise.withResolvers<number>();
    bank.answers['/a'] = () => {
      called.resolve();
      return answer.promise;
    };
    const gid = parseGid('crossed');
    await amends.submit({ gid, spec: saga(bank.url, ['a', 'b']) });
    while ((await amends.get(gid))!.transaction.epoch < 2) await new Promise((resolve) => setImmediate(resolve));
    answer.resolve(200);
    expect(await end(amends, gid)).toBe('succeed');
    const kinds = (await amends.history(gid, { afterSeq: 0, limit: 10 })).map(({ kind }) => kind);
    expect(kinds).toEqual(['submitted', 'answered', 'answered']);
    expect(bank.calls).toEqual(['action /a', 'action /b']);
  });

  test('who submits again what is still being begun is told when the store fails; the first one waits for its fate', async () => {
    const bank = await participant();
    const real = openMemoryStore();
    const [asked, unknown] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    let isDown = false;
    const orDown = <T>(act: () => Promise<T>): Promise<T> =>
      isDown ? Promise.reject(new AmendsError('store_unavailable', 'cut off')) : act();
    const store = decorated(real, {
      commit: (changes) => orDown(() => real.commit(changes)),
      load: (gids) => orDown(() => real.load(gids)),
      ping: () => orDown(() => real.ping()),
    });
    const { commit } = store;
    store.commit = async (changes) => {
      store.commit = commit;
      asked.resolve();
      await unknown.promise;
      return changes.map(() => ({ fate: 'unknown' }) as const);
    };
    const amends = await coordinator({ store });
    const request = { gid: parseGid('twice'), spec: saga(bank.url, ['a']) };
    const first = amends.submit(request);
    await asked.promise;
    const second = amends.submit(request);
    isDown = true;
    unknown.resolve();
    await expect(second).rejects.toMatchObject({ code: 'store_unavailable', message: expect.stringContaining('cut off') });
    await expect(amends.submit(request)).rejects.toMatchObject({ code: 'store_unavailable' });
    isDown = false;
    expect((await first).verdict).toBe('created');
    expect((await amends.submit(request)).verdict).toBe('repeated');
    expect(await end(amends, request.gid)).toBe('succeed');
  });

  test('a value that it does not take is refused to who sent it, and to nobody else', async () => {
    const bank = await participant();
    const store = faulty(openMemoryStore(), async (real, changes) => {
      const taken = changes.filter(({ row }) => row?.gid !== 'odd');
      const answers = await real(taken);
      return changes.map((change) => answers[taken.indexOf(change)] ?? { fate: 'refused', message: 'odd value' });
    });
    const amends = await coordinator({ store });
    const [odd, sound] = [parseGid('odd'), parseGid('sound')];
    const refused = amends.submit({ gid: odd, spec: saga(bank.url, ['a']) });
    await amends.submit({ gid: sound, spec: saga(bank.url, ['b']) });
    await expect(refused).rejects.toMatchObject({ code: 'value_refused', message: expect.stringMatching(/odd value$/) });
    expect(await end(amends, sound)).toBe('succeed');
    expect(await amends.get(odd)).toBeNull();
    expect(await amends.health()).toMatchObject({ state: 'running', live: 0 });
    expect(bank.calls).toEqual(['action /b']);
  });

  test('new work is refused, old work waits, and goes on by itself (DRIVE-5)', async () => {
    const bank = await participant();
    let full = false;
    const store = faulty(openMemoryStore(), async (real, changes) => {
      if (full) throw new AmendsError('store_unavailable', 'disk full');
      return real(changes);
    });
    const ping = store.ping;
    store.ping = async () => {
      if (full) throw new AmendsError('store_unavailable', 'disk full');
      return ping();
    };
    const amends = await coordinator({ store });
    bank.answers['/a'] = () => {
      full = true;
      return 200;
    };
    const gid = parseGid('patient');
    await amends.submit({ gid, spec: saga(bank.url, ['a', 'b']) });
    while ((await amends.health()).state !== 'paused') await new Promise((resolve) => setImmediate(resolve));
    const refused = amends.submit({ gid: parseGid('refused'), spec: saga(bank.url, ['a']) });
    await expect(refused).rejects.toMatchObject({ code: 'store_unavailable' });
    full = false;
    expect(await end(amends, gid)).toBe('succeed');
    expect(bank.calls).toEqual(['action /a', 'action /b']);
    expect(await amends.get(parseGid('refused'))).toBeNull();
  });
});

test('its time follows the time of the store from heartbeat to heartbeat, and never goes back', async () => {
  let movedMs = 0;
  const amends = await coordinator({ store: openMemoryStore({ now: () => Date.now() + movedMs }) });
  let latest = amends.now();
  const hourMs = 3_600_000;
  movedMs = hourMs;
  while (amends.now() < Date.now() + hourMs / 2) {
    expect(amends.now()).toBeGreaterThanOrEqual(latest);
    latest = amends.now();
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(Math.abs(amends.now() - Date.now() - hourMs)).toBeLessThan(hourMs / 2);
});

test('what is due by a time of the store that has jumped is done at the next heartbeat, not when the old time would have come', async () => {
  let movedMs = 0;
  const bank = await participant();
  bank.answers['/a'] = 500;
  const amends = await coordinator({ store: openMemoryStore({ now: () => Date.now() + movedMs }) });
  const gid = parseGid('slept');
  const [step] = saga(bank.url, ['a']).steps;
  const actionRetry: RetryPolicy = { ...quickly, delayMs: 25_000, delayMsMax: 25_000 };
  await amends.submit({ gid, spec: saga(bank.url, ['a'], { steps: [{ ...step!, actionRetry }] }) });
  expect((await amends.wait(gid, { waitMs: 5_000 }))?.wakeAt).not.toBeNull();
  bank.answers['/a'] = 200;
  movedMs = 3_600_000;
  await expect.poll(() => amends.get(gid), { timeout: 5_000 }).toMatchObject({ transaction: { status: 'succeed' } });
});

test('more work than it can hold is refused before memory grows', async () => {
  const bank = await participant();
  bank.answers['/a'] = () => new Promise(() => {});
  const amends = await coordinator({ store: openMemoryStore(), liveMax: 3 });
  for (const name of ['1', '2', '3']) await amends.submit({ gid: parseGid(name), spec: saga(bank.url, ['a']) });
  await expect(amends.submit({ gid: parseGid('4'), spec: saga(bank.url, ['a']) })).rejects.toMatchObject({ code: 'overloaded' });
});

test('what waits for a dead host goes back to the store and keeps no new work out; it is claimed when it is due', async () => {
  const [dead, bank] = [await participant(), await participant()];
  dead.answers['/a'] = 500;
  const store = openMemoryStore();
  const amends = await coordinator({ store, liveMax: 3 });
  const spec = saga(dead.url, ['a']);
  const slow = { ...spec, steps: spec.steps.map((step) => ({ ...step, actionRetry: { ...quickly, delayMs: 1_500 } })) };
  const waiting = ['1', '2', '3'].map(parseGid);
  for (const gid of waiting) await amends.submit({ gid, spec: slow });
  for (const gid of waiting) await amends.wait(gid, { waitMs: 5_000 });
  dead.answers['/a'] = 200;
  const gid = parseGid('4');
  await amends.submit({ gid, spec: saga(bank.url, ['a', 'b']) });
  expect(await end(amends, gid)).toBe('succeed');
  expect((await store.load(waiting)).map((stored) => stored!.row.owner)).toEqual([null, null, null]);
  for (const each of waiting) expect(await end(amends, each)).toBe('succeed');
});

test('more than it can hold of what is requested is refused; half of the room that is left may be claimed', async () => {
  const bank = await participant();
  bank.answers['/a'] = () => new Promise(() => {});
  const store = openMemoryStore();
  const limits: number[] = [];
  const claim: Store['claim'] = (request) => {
    limits.push(request.limit);
    return store.claim(request);
  };
  const claiming = decorated(store, { claim });
  const { plan, presentation, payloads } = encodeSpec(saga(bank.url, ['a']));
  const requestBytesMax = 2 * (plan.length + presentation.length + payloads.length) + 1;
  const amends = await coordinator({ store: claiming, liveMax: 5, requestBytesMax });
  for (const name of ['1', '2', '3']) await amends.submit({ gid: parseGid(name), spec: saga(bank.url, ['a']) });
  await expect(amends.submit({ gid: parseGid('4'), spec: saga(bank.url, ['a']) })).rejects.toMatchObject({ code: 'overloaded' });
  expect(Math.max(...limits)).toBe(3);
});

test('200 transactions that wait for a dead host do not hold up others', async () => {
  const [dead, bank] = [await participant(), await participant()];
  dead.answers['/a'] = () => new Promise(() => {});
  const amends = await coordinator({ store: openMemoryStore() });
  for (let i = 0; i < 200; i++) await amends.submit({ gid: amends.newGid(), spec: saga(dead.url, ['a']) });
  const gid = amends.newGid();
  await amends.submit({ gid, spec: saga(bank.url, ['a', 'b']) });
  expect(await end(amends, gid)).toBe('succeed');
  expect(await amends.health()).toMatchObject({ calling: 128, waiting: 72 });
});

test('300 transactions of a host that hangs do not hold up the recovery of others', async () => {
  const [hangs, bank] = [await participant(), await participant()];
  hangs.answers['/a'] = () => new Promise(() => {});
  bank.answers['/a'] = () => new Promise(() => {});
  const store = openMemoryStore();
  const first = await coordinator({ store });
  for (let i = 0; i < 300; i++) await first.submit({ gid: first.newGid(), spec: saga(hangs.url, ['a']) });
  const gid = first.newGid();
  await first.submit({ gid, spec: saga(bank.url, ['a', 'b']) });
  await first.stop({ graceMs: 0 });
  bank.answers['/a'] = 200;
  const second = await coordinator({ store });
  expect((await second.wait(gid, { waitMs: 8_000 }))?.transaction.status).toBe('succeed');
});

test('a coordinator that is stopped while it starts takes nothing over', async () => {
  const bank = await participant();
  const store = openMemoryStore();
  bank.answers['/a'] = () => new Promise(() => {});
  const first = await coordinator({ store });
  const gid = parseGid('orphan');
  await first.submit({ gid, spec: saga(bank.url, ['a']) });
  await first.stop({ graceMs: 0 });
  const second = createCoordinator({ store });
  await Promise.all([second.start(), second.stop()]);
  expect(await second.health()).toMatchObject({ state: 'stopped', live: 0, nodes: [] });
  expect((await store.history(gid, { afterSeq: 0, limit: 10 })).map(({ kind }) => kind)).toEqual(['submitted']);
});

test('a stopping coordinator refuses new work and lets calls in flight end', async () => {
  const bank = await participant();
  const amends = await coordinator({ store: openMemoryStore() });
  let answer: (status: number) => void = () => {};
  const asked = new Promise<void>((resolve) => {
    bank.answers['/a'] = () => {
      resolve();
      return new Promise<number>((release) => {
        answer = release;
      });
    };
  });
  const gid = parseGid('last');
  await amends.submit({ gid, spec: saga(bank.url, ['a']) });
  await asked;
  const stopped = amends.stop({ graceMs: 5_000 });
  await expect(amends.submit({ gid: parseGid('new'), spec: saga(bank.url, ['a']) })).rejects.toMatchObject({ code: 'stopping' });
  answer(200);
  await stopped;
  expect((await amends.get(gid))!.transaction.status).toBe('succeed');
});

describe('stopping ends within its time although', () => {
  const never = () => new Promise<never>(() => {});
  const hangingTransport: Transport = { call: never, close: never };

  test.each<[string, (real: Store) => Partial<Store>, Partial<CoordinatorOptions>]>([
    ['the first heartbeat is not answered', () => ({ heartbeat: never }), {}],
    ['a claim is not answered', () => ({ claim: never }), { timeToLiveMs: 600_000 }],
    ['a commit is not answered', () => ({ commit: never }), {}],
    ['its goodbye is not answered', (real) => ({ heartbeat: (beat) => (beat.ttlMs > 0 ? real.heartbeat(beat) : never()) }), {}],
    ['calls never end and cannot be broken off', () => ({}), { transport: hangingTransport }],
  ])('%s', async (_, changes, options) => {
    const bank = await participant();
    const real = openMemoryStore();
    const amends = createCoordinator({ store: decorated(real, changes(real)), ...options });
    const started = amends.start();
    if (changes(real).heartbeat !== never) await started;
    const submitted = amends.submit({ gid: parseGid('last'), spec: saga(bank.url, ['a']) }).then(
      () => 'done',
      ({ code }: AmendsError) => code,
    );
    const startedAt = performance.now();
    await amends.stop({ graceMs: 300 });
    expect(performance.now() - startedAt).toBeLessThan(10_000);
    expect(['done', 'stopping', 'store_unavailable']).toContain(await submitted);
    expect((await amends.health()).state).toBe('stopped');
  });

  test('calls take as long as they may: others can take over at once, and late answers change nothing', async () => {
    const store = openMemoryStore();
    const answered = Promise.withResolvers<Outcome>();
    const transport: Transport = { call: () => answered.promise, close: async () => {} };
    const amends = createCoordinator({ store, transport });
    await amends.start();
    const gid = parseGid('late');
    await amends.submit({ gid, spec: saga('http://bank', ['a']) });
    await amends.stop({ graceMs: 100 });
    expect(await store.nodes()).toEqual([]);
    answered.resolve({ class: 'success', code: 'http_200', detail: '', exchange: 'answered', durationMs: 1 });
    expect((await store.load([gid]))[0]!.row.version).toBe(1);
  });
});
