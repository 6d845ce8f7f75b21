/** Whoever dies while an examination is booked, and wherever: doctor, device and record go together, and nothing stays held. */
import { expect } from 'vitest';
import { book } from '../../examples/hospital-booking/book.ts';
import { hospitalBooking } from '../../examples/hospital-booking/story.ts';
import { exerciseFailpoints, type Play } from './exercise.ts';
import { insist, rows, type System, waitForEnd } from './system.ts';

type HospitalBookingService = keyof typeof hospitalBooking.services;
type Answer = 'confirmed' | 'cancelled';

const plays: readonly Play<HospitalBookingService>[] = [
  { title: 'a booking that is confirmed', run: (system, id) => play(system, id, 'confirmed') },
  { title: 'two bookings of the same hour', targets: ['doctors'], run: race },
  {
    title: 'a booking whose time is over while the doctors are away',
    targets: ['coordinator', 'doctors'],
    boundaries: ['before-commit', 'after-commit'],
    passagesMax: 8,
    run: late,
  },
  { title: 'a booking that is cancelled', run: (system, id) => play(system, id, 'cancelled') },
];

async function play({ amends, url }: System<HospitalBookingService>, id: string, answer: Answer): Promise<void> {
  const wanted = { booking: id, patient: 'mia', doctor: 'Dr. Sato', device: 'MRI scanner', time: id, confirmWithinMs: 60_000 };
  await insist(() => book(amends, url, wanted).submit({ gid: id }));
  await insist(() => give(url.desk, id, answer));
  const { outcome } = await waitForEnd(amends, id);
  const happens = answer === 'confirmed';
  expect(outcome).toBe(happens ? 'succeeded' : 'failed');
  const slot = happens ? [expect.objectContaining({ state: 'booked' })] : [];
  expect(await of(`${url.doctors}/slots`, id)).toEqual(slot);
  expect(await of(`${url.devices}/slots`, id)).toEqual(slot);
  expect(await of(`${url.records}/accesses`, id)).toHaveLength(happens ? 1 : 0);
  expect(await of(`${url.desk}/questions`, id)).toEqual([expect.objectContaining({ answer })]);
}

/** Two patients want the same doctor at the same time: one is asked, confirms and is booked; the other has nothing. */
async function race({ amends, url }: System<HospitalBookingService>, id: string): Promise<void> {
  const rivals = ['CT scanner', 'MRI scanner'].map((device, index) => ({ device, booking: `${id}-${index}` }));
  const common = { patient: 'mia', doctor: 'Dr. Sato', time: id, confirmWithinMs: 60_000 };
  const submit = (wanted: { device: string; booking: string }) =>
    insist(() => book(amends, url, { ...common, ...wanted }).submit({ gid: wanted.booking }));
  await Promise.all(rivals.map(submit));
  await insist(() => Promise.any(rivals.map(({ booking }) => give(url.desk, booking, 'confirmed'))));
  const ended = await Promise.all(rivals.map(({ booking }) => waitForEnd(amends, booking)));
  expect(ended.map(({ outcome }) => outcome).toSorted()).toEqual(['failed', 'succeeded']);
  const { booking, device } = rivals[ended.findIndex(({ outcome }) => outcome === 'succeeded')]!;
  const slotOf = (resource: string) => [{ resource, time: id, booking, state: 'booked' }];
  expect(await at(`${url.doctors}/slots`, id)).toEqual(slotOf('Dr. Sato'));
  expect(await at(`${url.devices}/slots`, id)).toEqual(slotOf(device));
}

/** The time is over while nobody is at home at the doctors': all is released, there too when they are back. */
async function late({ amends, url, kill, restart }: System<HospitalBookingService>, id: string): Promise<void> {
  const wanted = { booking: id, patient: 'mia', doctor: 'Dr. Sato', device: 'MRI scanner', time: id, confirmWithinMs: 50 };
  await kill('doctors');
  await insist(() => book(amends, url, wanted).submit({ gid: id }));
  await insist(async () => {
    const history = await amends.history(id);
    if (!history.some(({ kind }) => kind === 'timed-out')) throw new Error(`the time of ${id} is not over yet`);
  });
  await restart('doctors');
  const { outcome, reason } = await waitForEnd(amends, id);
  expect([outcome, reason]).toEqual(['failed', 'not decided within 50 ms']);
  for (const place of [`${url.doctors}/slots`, `${url.devices}/slots`, `${url.records}/accesses`, `${url.desk}/questions`])
    expect(await of(place, id)).toEqual([]);
}

async function at(url: string, time: string) {
  return (await rows(url)).filter((row) => row.time === time);
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
