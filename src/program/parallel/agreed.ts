import { ComputationError } from '../../support/computation-error.ts';
import { type Communicator, gatherJson, processName } from './communicator.ts';

const agreed = new WeakSet<object>();

/** Marks an error that every process throws. Then one process reports it, and all of them end. */
export function markAgreed<E extends object>(error: E): E {
  agreed.add(error);
  return error;
}

export function isAgreed(error: unknown): boolean {
  return typeof error === 'object' && error !== null && agreed.has(error);
}

/**
 * Compares a state that every process has computed independently.
 *
 * @param hashes hashes of the state's parts, by name
 * @throws ComputationError that names the first part that differs, and the two processes
 */
export function assertEqual(
  communicator: Communicator,
  step: number,
  hashes: Readonly<Record<string, string>>,
): void {
  if (communicator.size === 1) return;
  const [first, ...others] = gatherJson(communicator, hashes);
  for (const [i, other] of others.entries()) {
    const part = Object.keys(first!).find((name) => first![name] !== other[name]);
    if (part === undefined) continue;
    const side = (rank: number, hashes: Readonly<Record<string, string>>) =>
      `${processName(communicator, rank)} has ${hashes[part]}`;
    throw markAgreed(
      new ComputationError(
        `step ${step}: ${part} differ between processes: ${side(0, first!)} and ${side(i + 1, other)} ` +
          '(hashes). The hosts round differently, or a processor or memory is faulty.',
      ),
    );
  }
}
