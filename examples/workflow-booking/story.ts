/** Stories of trips: one that is booked, one whose card is refused, and one during which airline and desk lose their power. */
import assert from 'node:assert/strict';
import type { Example, Stage } from '../stage/example.ts';
import { tell } from '../stage/tell.ts';
import { until } from '../stage/until.ts';
import type { Trip } from './trip.ts';

type Service = 'desk' | 'hotel' | 'airline' | 'card';

/** The coordinator remembers the trips of earlier runs. */
const run = Date.now().toString(36);

/** A travel desk, a hotel, an airline and the cards. */
export const workflowBooking: Example<Service> = {
  name: 'workflow-booking',
  services: {
    desk: { script: 'desk.ts', asksServer: true },
    hotel: { script: 'places.ts', args: ['--name', 'hotel', '--offer', 'Lisbon=3'] },
    airline: { script: 'places.ts', args: ['--name', 'airline', '--offer', 'Lisbon=3'] },
    card: { script: 'card.ts', args: ['--limit', '100000'] },
  },
  stories: [
    {
      title: 'Mia flies to Lisbon: a room, a seat, 600.00 from her card',
      async play(stage) {
        const { status } = await order(stage, trip('mia-1'), 60_000);
        assert.equal(status, 200);
        return ending(stage, 'mia-1', 'succeeded', { trips: 'mia-1 booked', rooms: 1, seats: 1, charged: '600.00' });
      },
    },
    {
      title: 'Once more for 600.00, which her card refuses: room and seat are free again',
      async play(stage) {
        const { status } = await order(stage, trip('mia-2'), 60_000);
        assert.equal(status, 409);
        const trips = 'mia-1 booked, mia-2 refused';
        return ending(stage, 'mia-2', 'failed', { trips, rooms: 1, seats: 1, charged: '600.00' });
      },
    },
    {
      title: 'For 300.00, while the power of the airline is cut, and then that of the desk: it goes on where it was',
      async play(stage) {
        await stage.kill('airline');
        const told = order(stage, trip('mia-3'), 30_000).then(
          ({ status }) => status,
          () => 'cut',
        );
        await until('a room for mia-3', async () =>
          (await read(`${stage.url.hotel}/places`)).some((place) => place.trip === trip('mia-3')),
        );
        await stage.kill('desk');
        assert.ok([500, 'cut'].includes(await told));
        await stage.restart('airline');
        await stage.restart('desk');
        const trips = 'mia-1 booked, mia-2 refused, mia-3 booked';
        return ending(stage, 'mia-3', 'succeeded', { trips, rooms: 2, seats: 2, charged: '900.00' });
      },
    },
  ],
};

/** The gid of a guest's trip. */
function trip(name: string): string {
  return `${name}-${run}`;
}

/** Has the desk book a trip. */
export function order({ url }: Pick<Stage<Service>, 'url'>, gid: string, cents: number, guest = 'mia'): Promise<Response> {
  const { hotel, airline, card } = url;
  const wanted: Trip = { trip: gid, guest, city: 'Lisbon', cents, at: { hotel, airline, card } };
  const headers = { 'content-type': 'application/json' };
  return fetch(`${url.desk}/trips`, { method: 'POST', headers, body: JSON.stringify(wanted) });
}

interface Books {
  readonly trips: string;
  readonly rooms: number;
  readonly seats: number;
  readonly charged: string;
}

async function ending({ amends, url }: Stage<Service>, name: string, outcome: 'succeeded' | 'failed', told: Books) {
  const gid = trip(name);
  assert.equal((await amends.wait(gid, { waitMs: 20_000 })).outcome, outcome);
  const countTaken = async (house: string) => (await read(`${house}/places`)).filter((place) => place.trip !== null).length;
  const written = await read(`${url.desk}/trips`);
  const trips = written.map((one) => `${String(one.trip).replace(`-${run}`, '')} ${one.state}`).join(', ');
  const cents = (await read(`${url.card}/charges`)).reduce((sum, charge) => sum + Number(charge.cents), 0);
  const books = {
    trips,
    rooms: await countTaken(url.hotel),
    seats: await countTaken(url.airline),
    charged: (cents / 100).toFixed(2),
  };
  assert.deepEqual(books, told);
  return { gid, state: { ...told } };
}

async function read(url: string): Promise<Record<string, string | number | null>[]> {
  return (await (await fetch(url)).json()) as Record<string, string | number | null>[];
}

if (import.meta.main) await tell(workflowBooking);
