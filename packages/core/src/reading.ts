/** Whether the stored parts of a transaction can be understood together and are what was stored. */
import { fits } from './decide.ts';
import { readGiven, type StoredRecord } from './stored/record-code.ts';
import { fromRow, stateFormat, type TransactionRow } from './stored/row.ts';
import { decodeSpec, type StoredSpec, specFormat } from './stored/spec-code.ts';

/** The parts of one transaction, as they were read. */
export interface StoredParts {
  readonly row: TransactionRow;
  readonly spec: StoredSpec;
  readonly records: readonly StoredRecord[];
}

/** Whether a newer version has written it: nothing is wrong with it, but this version has nothing to do with it. */
export function isNewer({
  row,
  spec,
}: {
  readonly row: Pick<TransactionRow, 'format'>;
  readonly spec: Pick<StoredSpec, 'format'>;
}): boolean {
  return row.format > stateFormat || spec.format > specFormat;
}

/**
 * What is wrong with the parts, as the end of a sentence about their transaction; null: nothing.
 * @param digest SHA-256 as 64 hex digits over the parts
 */
export function troubleIn(parts: StoredParts, digest: (parts: readonly (string | Uint8Array)[]) => string): string | null {
  const { row, spec, records } = parts;
  if (digest([spec.plan, spec.payloads]) !== spec.digest)
    return 'its plan or its payloads are not those that were stored, their digest differs';
  try {
    const plan = read('plan', () => decodeSpec(spec));
    const given = read('records', () => readGiven(plan, records));
    return read('state', () => fits(fromRow(row), given)) ? null : 'its state does not fit its plan';
  } catch (error) {
    return (error as Error).message;
  }
}

function read<T>(name: string, part: () => T): T {
  try {
    return part();
  } catch (error) {
    throw new Error(`its ${name}: ${(error as Error).message}`, { cause: error });
  }
}
