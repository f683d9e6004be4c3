import type { BaseDtype } from '../bases/base-dtype.ts';
import { roundedReader } from '../bases/rounded-reader.ts';
import type { LoadedModel } from '../program/model-weights.ts';
import { UserError } from '../support/user-error.ts';
import type { ReadRange } from '../tuners/tuner.ts';
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
    hint: `Set base_dtype to ${fits}, or merge it first: adalora merge adds it to the rounded weights.`,
  });
}

/** Reads the weights that an adapter is added to: those of the base, rounded if the adapter fits only rounded ones. */
export function fittingReader({ model, notes }: { model: LoadedModel; notes: Notes | undefined }): ReadRange {
  return notes?.base_dtype === undefined ? model.readRange : roundedReader(model, model.readRange);
}
