/** The outcome of an HTTP answer. DTM's transactions go by status and text, native ones by the status. */
import { type Face, limits, type OutcomeClass } from '@amends/core';

/** What a participant's answer means. DTM's older clients answer 200 with the verdict in the body, so bodies are searched. */
export function classOfAnswer(face: Face, status: number, body: Buffer): OutcomeClass {
  if (status === 425) return 'ongoing';
  return face === 'dtm' ? classByText(status, body.toString('latin1')) : classByStatus(status);
}

function classByStatus(status: number): OutcomeClass {
  if (status === 409) return 'failure';
  return status >= 200 && status < 300 ? 'success' : 'unknown';
}

function classByText(status: number, body: string): OutcomeClass {
  if (body.includes('ONGOING')) return 'ongoing';
  if (status === 409 || body.includes('FAILURE')) return 'failure';
  return status === 200 ? 'success' : 'unknown';
}

/** Whether a status is a verdict by itself, whatever the body says. */
export function isVerdict(status: number): boolean {
  return status === 409 || status === 425;
}

/** What people see of an answer: its text, or natively the message in its JSON. It is capped and well-formed. */
export function detailOfAnswer(face: Face, body: string): string {
  const text = face === 'native' ? (messageIn(body) ?? body) : body;
  return text.slice(0, limits.answerCharactersKept).toWellFormed().replaceAll('\u0000', '\ufffd');
}

function messageIn(body: string): string | null {
  if (!body.startsWith('{')) return null;
  try {
    const { message, error, detail } = JSON.parse(body) as Record<string, unknown>;
    const found = [message, detail, error].find((value) => typeof value === 'string');
    return typeof found === 'string' ? found : null;
  } catch {
    return null;
  }
}
