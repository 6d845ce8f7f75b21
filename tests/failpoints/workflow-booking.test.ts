/** Whoever dies while a trip is booked, and wherever: room, seat, payment and the desk's list go together. */
import { expect } from 'vitest';
import { order, workflowBooking } from '../../examples/workflow-booking/story.ts';
import { exerciseFailpoints, type Play } from './exercise.ts';
import { insist, rows, type System, waitForEnd } from './system.ts';

type WorkflowBookingService = keyof typeof workflowBooking.services;

const many = ['--offer', 'Lisbon=500'];
const travel = {
  ...workflowBooking,
  services: {
    ...workflowBooking.services,
    hotel: { script: 'places.ts', args: ['--name', 'hotel', ...many] },
    airline: { script: 'places.ts', args: ['--name', 'airline', ...many] },
    card: { script: 'card.ts', args: ['--limit', '100'] },
  },
};

const plays: readonly Play<WorkflowBookingService>[] = [
  { title: 'a trip that is booked', run: (system, id) => play(system, id, 100) },
  { title: 'a trip that the card refuses', run: (system, id) => play(system, id, 101) },
];

/** Each guest has a card of their own. */
async function play(system: System<WorkflowBookingService>, id: string, cents: number): Promise<void> {
  const { amends, url } = system;
  await order(system, id, cents, id).catch(() => {});
  await insist(() => amends.get(id)).catch(() => order(system, id, cents, id));
  const { outcome } = await waitForEnd(amends, id);
  const happens = cents === 100;
  expect(outcome).toBe(happens ? 'succeeded' : 'failed');
  expect(await of(`${url.hotel}/places`, id)).toHaveLength(happens ? 1 : 0);
  expect(await of(`${url.airline}/places`, id)).toHaveLength(happens ? 1 : 0);
  expect(await of(`${url.card}/charges`, id)).toHaveLength(happens ? 1 : 0);
  expect(await of(`${url.desk}/trips`, id)).toEqual([expect.objectContaining({ state: happens ? 'booked' : 'refused' })]);
}

async function of(url: string, id: string) {
  return (await rows(url)).filter(({ trip }) => trip === id);
}

exerciseFailpoints(travel, plays);
