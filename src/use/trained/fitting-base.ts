import { BASE_BLOCK, fourBitValues } from '../../input/formats/quantize.ts';
import type { ReadRange } from '../../methods/tuners/tuner.ts';
import type { BaseDtype } from '../../program/bases/base-dtype.ts';
import { quantizedPaths } from '../../program/bases/base-format.ts';
import type { TaskModel } from '../../program/objectives/task-model.ts';
import type { LoadedModel } from '../../program/weight-memory.ts';
import { UserError } from '../../support/user-error.ts';
import type { Notes } from './notes.ts';

/**
 * The type of base to open a model over: the one that its adapter fits, or otherwise float32.
 *
 * @param asked the user's choice
 * @param where the adapter's name for messages
 * @throws UserError for a choice that the adapter does not fit
 */
export function fittingBase(
  notes: Notes | undefined,
  asked: BaseDtype | undefined,
  where: string,
): BaseDtype {
  const fits = notes?.base_dtype;
  if (fits === undefined || asked === undefined || asked === fits) return asked ?? fits ?? 'float32';
  throw new UserError({
    where,
    fault: `was trained on ${fits} weights and corrects their rounding errors, so it does not fit ${asked} weights`,
    hint: `Set base_dtype to ${fits}, or merge it first: adalora export --as merged adds it to the rounded weights.`,
  });
}

/** Reads the weights that an adapter is added to: those of the base, rounded if the adapter fits only rounded ones. */
export function fittingReader({ model, notes }: { model: LoadedModel; notes: Notes | undefined }): ReadRange {
  return notes?.base_dtype === undefined ? model.readRange : roundedReader(model, model.readRange);
}

/**
 * Reads a model's parameters. Linear weights have the rounded values of an int4 base. The output matrix keeps
 * its exact values, although an int4 base contains an 8-bit copy of it.
 */
function roundedReader(model: TaskModel, readRange: ReadRange): ReadRange {
  const rounded = new Set([...quantizedPaths(model, BASE_BLOCK)].map((path) => `${path}.weight`));
  return (name, start, end) => {
    if (!rounded.has(name) || start === end) return readRange(name, start, end);
    // Only whole blocks can be rounded, so the range is extended to whole blocks.
    const from = start - (start % BASE_BLOCK);
    const blocks = readRange(name, from, Math.ceil(end / BASE_BLOCK) * BASE_BLOCK);
    return fourBitValues(blocks).slice(start - from, end - from);
  };
}
