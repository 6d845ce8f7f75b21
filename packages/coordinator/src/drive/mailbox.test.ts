/** What mailboxes make of those who are told of something and throw. */
import { encodeSpec, nodeId, type Outcome, parseGid } from '@amends/core';
import { openMemoryStore } from '@amends/store';
import { expect, onTestFinished, test, vi } from 'vitest';
import { AddressBook } from '../calls/address/address-book.ts';
import { refuseForbidden } from '../calls/address/network-address.ts';
import { anchoredClock, sha256, systemRandom, systemTimers } from '../ports/host.ts';
import type { Log, Observer } from '../ports/ports.ts';
import { bankSaga } from '../testing/bank-saga.ts';
import { MailboxStory } from '../testing/mailbox-story.ts';
import { Drive } from './drive.ts';
import { createGroupCommit } from './group-commit.ts';
import type { Mailbox } from './mailbox.ts';
import type { ReplyResult } from './phases.ts';

const node = nodeId('here');
/** On a busy machine this is later than at once. */
const soon = <T>(look: () => T | Promise<T>) => vi.waitFor(look, 5_000);

const done: Outcome = { class: 'success', code: 'http_200', detail: '', exchange: 'answered', durationMs: 1 };
const broken = () => {
  throw new Error('nobody listens');
};

/** @param error what the log does with an error */
function drive(error: Log['error'], observer: Observer = () => {}): Drive {
  const made = new Drive({
    node,
    store: openMemoryStore(),
    transport: { call: async () => done, close: async () => {} },
    addresses: new AddressBook(refuseForbidden),
    clock: anchoredClock(),
    timers: systemTimers,
    random: systemRandom(),
    digest: sha256,
    log: { debug() {}, info() {}, warn() {}, error },
    observer,
    callObservers: [],
    perHostInFlightMax: 8,
    liveMax: 100,
    requestBytesMax: 1_000_000,
    watcher: { rests() {}, refused() {}, failed() {} },
  });
  onTestFinished(() => made.stop());
  return made;
}

/** A saga of one step, submitted; @returns its mailbox, and what those who ask something of it are told */
function begin(on: Drive, name: string): { readonly mailbox: Mailbox; readonly told: ReplyResult[] } {
  const spec = bankSaga(['a']);
  const gid = parseGid(name);
  const mailbox = on.begin(gid, spec, { ...encodeSpec(spec), digest: name });
  const told: ReplyResult[] = [];
  mailbox.post({ type: 'submitted', gid, owner: node, ...on.moment() }, (result) => told.push(result));
  return { mailbox, told };
}

function askToRetry(on: Drive, mailbox: Mailbox, reply: (result: ReplyResult) => void): void {
  const event = { type: 'intervened', verb: 'retry', actor: 'ann', reason: '', expectedVersion: null } as const;
  mailbox.post({ ...event, ...on.moment() }, reply);
}

test('a sender and a listener that throw keep neither others from hearing nor the mailbox from going on', async () => {
  const logged: string[] = [];
  const on = drive((_, message) => logged.push(message));
  const { mailbox, told } = begin(on, 'one');
  const changes: string[] = [];
  mailbox.onChange(broken);
  mailbox.onChange(() => changes.push(mailbox.tx!.status));
  askToRetry(on, mailbox, broken);
  askToRetry(on, mailbox, (result) => told.push(result));
  await soon(() => expect(mailbox.closed).toBe(true));
  expect(mailbox.tx!.status).toBe('succeed');
  expect(told).toEqual(['taken', 'taken']);
  expect(changes.at(-1)).toBe('succeed');
  expect(new Set(logged)).toEqual(new Set(['somebody who was told of a transaction failed']));
});

test('senders hear of what is durable although what comes before them goes wrong, each once', async () => {
  const on = drive(broken, broken);
  const [one, other] = [begin(on, 'one'), begin(on, 'other')];
  await soon(() => expect([one.told, other.told]).toEqual([['taken'], ['taken']]));
  expect([one.mailbox.closed, other.mailbox.closed]).toEqual([true, true]);
});

test('a change whose answer makes its sender throw keeps no other of its batch from being heard of', async () => {
  const logged: string[] = [];
  const log = { debug() {}, info() {}, warn() {}, error: (_: unknown, message: string) => logged.push(message) };
  const commits = createGroupCommit(openMemoryStore(), { timers: systemTimers, log });
  const story = new MailboxStory(bankSaga(['a']));
  story.submit();
  story.seat();
  const fates: string[] = [];
  commits.commit(story.tried!, broken);
  commits.commit(story.tried!, ({ fate }) => fates.push(fate));
  await soon(() => expect(fates).toEqual(['conflict']));
  expect(logged).toEqual(['what follows from a commit failed']);
  expect(commits.pending()).toBe(0);
});
