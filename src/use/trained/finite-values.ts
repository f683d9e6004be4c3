import type { ReadRange } from '../../methods/tuners/tuner.ts';
import { NotFinite } from '../../program/check-finite.ts';
import type { LoadedModel } from '../../program/weight-memory.ts';
import { elementCount } from '../../support/arrays.ts';
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

/** Elements per read. */
const CHUNK = 2 ** 20;

/**
 * Computes outputs of a model. The error for outputs that are not finite names the file at fault.
 *
 * @param before number of examples before those that are computed
 */
export async function namingNotFinite<Result>(
  { model, values, path }: { model: LoadedModel; values: Float32Array; path: string },
  compute: () => Promise<Result>,
  before = 0,
): Promise<Result> {
  try {
    return await compute();
  } catch (error) {
    if (!(error instanceof NotFinite)) throw error;
    throw new NotFinite(before + error.example, findNotFinite(model, values, path));
  }
}

/**
 * Finds the file of a model with a value that is not finite, after its outputs were not. All weights are read.
 *
 * @param path of the adapter with the trained values
 * @returns a sentence, or undefined if all values are finite
 */
function findNotFinite(model: LoadedModel, values: Float32Array, path: string): string | undefined {
  if (!values.every(Number.isFinite)) return `The adapter in ${path} has values that are not finite.`;
  for (const [name, shape] of model.parameters) {
    const file = model.fileOf(name);
    const count = file === undefined ? 0 : elementCount(shape);
    for (let start = 0; start < count; start += CHUNK) {
      const other = model
        .readRange(name, start, Math.min(count, start + CHUNK))
        .find((value) => !Number.isFinite(value));
      if (other !== undefined)
        return `${file}: the tensor ${name} has the value ${other}. Get the file again.`;
    }
  }
  return undefined;
}
