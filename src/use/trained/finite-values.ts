import type { ReadRange } from '../../methods/tuners/tuner.ts';
import { InvalidFile } from '../../support/user-error.ts';

/**
 * Checks that no value is NaN or infinite, because such a model cannot predict.
 *
 * @param where the tensor's name, or its file's
 * @throws UserError
 */
export function assertFiniteValues(values: Float32Array, where: string): void {
  const other = values.find((value) => !Number.isFinite(value));
  if (other === undefined) return;
  throw new InvalidFile({
    where,
    fault: `has the value ${other}`,
    hint: 'The training diverged, or the file is damaged. Use an earlier checkpoint or train again.',
  });
}

/** The same reader, but it throws for values that are not finite. */
export function finiteReader(read: ReadRange): ReadRange {
  return (name, start, end) => {
    const values = read(name, start, end);
    assertFiniteValues(values, name);
    return values;
  };
}
