/** A booking: doctor, device and access to the record together, or none of them. */
import type { AmendsClient } from '@amends/client';

/** The booking that a patient wants. */
export interface Booking {
  readonly booking: string;
  readonly patient: string;
  readonly doctor: string;
  readonly device: string;
  readonly time: string;
  /** How long the patient has to confirm before everything is released. Milliseconds. */
  readonly confirmWithinMs: number;
}

/** Addresses of the services. */
export type Hospital = Readonly<Record<'doctors' | 'devices' | 'records' | 'desk', string>>;

/**
 * Holds doctor, device and record at the same time (steps 0, 1 and 2 wait for nothing). Then the desk asks the patient (3) and
 * waits for the answer (4). A refusal, a cancellation or the time-out releases what is held. The confirmation is the point of no
 * return, because all steps that can be undone have succeeded then: 5 and 6 are repeated until they succeed.
 */
export function book(amends: AmendsClient, hospital: Hospital, { confirmWithinMs, ...wanted }: Booking) {
  const { booking, patient, doctor, device, time } = wanted;
  const { doctors, devices, records, desk } = hospital;
  const hour = { booking, resource: doctor, time };
  const slot = { booking, resource: device, time };
  return amends
    .saga({ concurrent: true, timeoutMs: confirmWithinMs })
    .step({ action: `${doctors}/hold`, compensate: `${doctors}/release`, payload: hour })
    .step({ action: `${devices}/hold`, compensate: `${devices}/release`, payload: slot })
    .step({ action: `${records}/grant`, compensate: `${records}/revoke`, payload: { booking, patient, doctor } })
    .step({ after: [0, 1, 2], action: `${desk}/ask`, compensate: `${desk}/withdraw`, payload: { booking, patient } })
    .step({
      after: [3],
      action: `${desk}/answered`,
      irreversible: true,
      payload: { booking },
      retry: { kind: 'fixed', delayMs: 200 },
    })
    .step({ after: [4], kind: 'retriable', action: `${doctors}/book`, payload: hour })
    .step({ after: [4], kind: 'retriable', action: `${devices}/book`, payload: slot });
}
