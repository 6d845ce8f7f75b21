/** Whoever dies while an examination is booked, and wherever: doctor, device and record go together, and nothing stays held. */
import { expect } from 'vitest';
import { book } from '../../examples/hospital-booking/book.ts';
import { hospitalBooking } from '../../examples/hospital-booking/story.ts';
import { exerciseFailpoints, type Play } from './exercise.ts';
import { finished, insist, rows, type System } from './system.ts';

type Service = keyof typeof hospitalBooking.services;
type Answer = 'confirmed' | 'cancelled';

const plays: readonly Play<Service>[] = [
  { title: 'a booking that is confirmed', run: (system, id) => play(system, id, 'confirmed') },
  { title: 'a booking that is cancelled', run: (system, id) => play(system, id, 'cancelled') },
];

async function play({ amends, url }: System<Service>, id: string, answer: Answer): Promise<void> {
  const wanted = { booking: id, patient: 'mia', doctor: 'Dr. Sato', device: 'MRI scanner', time: id, confirmWithinMs: 60_000 };
  await insist(() => book(amends, url, wanted).submit({ gid: id }));
  await insist(() => give(url.desk, id, answer));
  const { outcome } = await finished(amends, id);
  const happens = answer === 'confirmed';
  expect(outcome).toBe(happens ? 'succeeded' : 'failed');
  const slot = happens ? [expect.objectContaining({ state: 'booked' })] : [];
  expect(await of(`${url.doctors}/slots`, id)).toEqual(slot);
  expect(await of(`${url.devices}/slots`, id)).toEqual(slot);
  expect(await of(`${url.records}/accesses`, id)).toHaveLength(happens ? 1 : 0);
  expect(await of(`${url.desk}/questions`, id)).toEqual([expect.objectContaining({ answer })]);
}

async function give(desk: string, booking: string, answer: Answer): Promise<void> {
  const [question] = await of(`${desk}/questions`, booking);
  if (question?.answer === answer) return;
  const { status } = await fetch(`${desk}/questions/${encodeURIComponent(booking)}/${answer}`, { method: 'POST' });
  if (status !== 200) throw new Error(`${booking} cannot be answered yet`);
}

async function of(url: string, booking: string) {
  return (await rows(url)).filter((row) => row.booking === booking);
}

exerciseFailpoints(hospitalBooking, plays);
