/** A trip as a workflow: a function whose steps survive crashes of the process that runs it. */
import { type AmendsClient, barrier, type RegisteredWorkflow, type Workflow } from '@amends/client';
import type Database from 'better-sqlite3';

/** The trip that a guest wants. */
export interface Trip {
  /** Identity of the trip: a repeated request with it is the same trip. */
  readonly trip: string;
  readonly guest: string;
  readonly city: string;
  readonly cents: number;
  /** Addresses of the participants. */
  readonly at: { readonly hotel: string; readonly airline: string; readonly card: string };
}

/** What the guest gets. */
export interface Booked {
  readonly room: string;
  readonly seat: string;
}

/** The desk's own list of trips. */
export const tripTable = `CREATE TABLE IF NOT EXISTS trip (
  trip TEXT PRIMARY KEY,
  guest TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('open', 'booked', 'refused'))
) STRICT`;

/**
 * Registers the workflow in this process.
 * @param resume address of this process at which the coordinator has a trip go on
 */
export function tripWorkflow(amends: AmendsClient, db: Database.Database, resume: string): RegisteredWorkflow<Trip, Booked> {
  const file = db.prepare("INSERT INTO trip (trip, guest, state) VALUES (:trip, :guest, 'open')");
  const close = db.prepare('UPDATE trip SET state = :state WHERE trip = :trip');

  async function book(workflow: Workflow, wanted: Trip): Promise<Booked> {
    const { trip, guest, city, cents, at } = wanted;
    // The desk's own step writes the list of trips together with the row of the barrier.
    await workflow.do('file', (call) => barrier(db, call, () => void file.run({ trip, guest })), {
      onCommit: (call) => barrier(db, call, () => void close.run({ trip, state: 'booked' })),
      onRollback: (call) => barrier(db, call, () => void close.run({ trip, state: 'refused' })),
    });
    const payload = { trip, place: city };
    const { place: room } = await workflow.fetch<{ place: string }>(`${at.hotel}/book`, {
      payload,
      onRollback: `${at.hotel}/cancel`,
    });
    const { place: seat } = await workflow.fetch<{ place: string }>(`${at.airline}/book`, {
      payload,
      onRollback: `${at.airline}/cancel`,
    });
    // The charge comes last: when the card refuses, room and seat are given back.
    await workflow.fetch(`${at.card}/charge`, { payload: { trip, guest, cents } });
    return { room, seat };
  }

  return amends.workflow('trip', book, { resume, retryDelayMs: 1_000 });
}
