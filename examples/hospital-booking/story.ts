/** Stories of bookings: confirmed, taken, cancelled, forgotten, and a calendar whose power is cut. */
import assert from 'node:assert/strict';
import type { Example, Stage } from '../stage/example.ts';
import { tell } from '../stage/tell.ts';
import { until } from '../stage/until.ts';
import { book } from './book.ts';

type Service = 'doctors' | 'devices' | 'records' | 'desk';

/** A hospital with an empty calendar. */
export const hospitalBooking: Example<Service> = {
  name: 'hospital-booking',
  services: {
    doctors: { script: 'calendar.ts', args: ['--name', 'doctors'] },
    devices: { script: 'calendar.ts', args: ['--name', 'devices'] },
    records: { script: 'records.ts' },
    desk: { script: 'desk.ts' },
  },
  stories: [
    {
      title: 'Ines books Dr. Sato with the MRI scanner at nine, and confirms',
      async play(stage) {
        const { gid } = await request(stage, 'ines', '09:00').submit();
        await answer(stage, 'ines', 'confirmed');
        return ending(stage, gid, 'succeeded', { ines: 'doctor booked, device booked, record open' });
      },
    },
    {
      title: 'Jon wants the same scanner at nine with another doctor: he gets neither, and his record stays closed',
      async play(stage) {
        const { gid } = await request(stage, 'jon', '09:00', { doctor: 'Dr. Haddad' }).submit();
        return ending(stage, gid, 'failed', {
          ines: 'doctor booked, device booked, record open',
          jon: 'doctor free, device free, record closed',
        });
      },
    },
    {
      title: 'Kim books at ten and cancels when asked: everything is released',
      async play(stage) {
        const { gid } = await request(stage, 'kim', '10:00').submit();
        await answer(stage, 'kim', 'cancelled');
        return ending(stage, gid, 'failed', { kim: 'doctor free, device free, record closed' });
      },
    },
    {
      title: 'Lee books at ten and never answers: in time everything is released',
      async play(stage) {
        const { gid } = await request(stage, 'lee', '10:00', { confirmWithinMs: 600 }).submit();
        return ending(stage, gid, 'failed', { lee: 'doctor free, device free, record closed' });
      },
    },
    {
      title: "Mia books at ten and confirms, while the power of the devices' calendar is cut",
      async play(stage) {
        const { gid } = await request(stage, 'mia', '10:00').submit();
        await waitForQuestion(stage, 'mia');
        await stage.kill('devices');
        await answer(stage, 'mia', 'confirmed');
        await stage.missed(gid);
        await stage.restart('devices');
        return ending(stage, gid, 'succeeded', { mia: 'doctor booked, device booked, record open' });
      },
    },
  ],
};

function request(
  { amends, url }: Stage<Service>,
  patient: string,
  time: string,
  other: { doctor?: string; confirmWithinMs?: number } = {},
) {
  const usual = { doctor: 'Dr. Sato', device: 'MRI scanner', confirmWithinMs: 15_000 };
  return book(amends, url, { booking: `${patient}-${time}`, patient, time, ...usual, ...other });
}

/** Waits until the patient is asked. @returns the name of the booking */
function waitForQuestion({ url }: Stage<Service>, patient: string): Promise<string> {
  return until(`a question to ${patient}`, async () => {
    const questions = await read(`${url.desk}/questions`);
    return questions.find((question) => question.patient === patient && question.answer === 'open')?.booking;
  });
}

async function answer(stage: Stage<Service>, patient: string, given: 'confirmed' | 'cancelled'): Promise<void> {
  const booking = await waitForQuestion(stage, patient);
  const taken = await fetch(`${stage.url.desk}/questions/${booking}/${given}`, { method: 'POST' });
  assert.equal(taken.status, 200);
}

/** Waits for the end of the transaction, and asserts that it and the patients' bookings are as told. */
async function ending(stage: Stage<Service>, gid: string, outcome: string, told: Record<string, string>) {
  const ended = await stage.amends.wait(gid, { waitMs: 20_000 });
  assert.equal(ended.outcome, outcome);
  const state: Record<string, string> = {};
  for (const patient of Object.keys(told)) state[patient] = await readBooking(stage, patient);
  assert.deepEqual(state, told);
  return { gid, state };
}

async function readBooking({ url }: Stage<Service>, patient: string): Promise<string> {
  const [doctors, devices, accesses] = await Promise.all(
    [`${url.doctors}/slots`, `${url.devices}/slots`, `${url.records}/accesses`].map(read),
  );
  const slot = (slots?: Row[]) => slots?.find(({ booking }) => booking?.startsWith(`${patient}-`))?.state ?? 'free';
  const record = accesses?.some((access) => access.patient === patient) ? 'open' : 'closed';
  return `doctor ${slot(doctors)}, device ${slot(devices)}, record ${record}`;
}

type Row = Readonly<Record<string, string>>;

async function read(url: string): Promise<Row[]> {
  return (await (await fetch(url)).json()) as Row[];
}

if (import.meta.main) await tell(hospitalBooking);
