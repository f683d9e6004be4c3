import { suggest } from '../../../support/nearest.ts';
import { UserError } from '../../../support/user-error.ts';
import { tiedOutputs } from '../tied-words.ts';
import type { TunableModel } from '../tuner.ts';

/**
 * The error for a name in an adapter that is not in the model.
 *
 * @param name a module's path, or the name of a tensor
 * @param known the names that are
 */
export function unknownModule(
  model: TunableModel,
  name: string,
  known: Iterable<string>,
  where: string,
): UserError {
  const path = name.replace(/\.lora_embedding_[AB]$/, '');
  const tied = tiedOutputs(model).find(([output]) => output === `${path}.weight`);
  if (tied) {
    return new UserError({
      where: `${where}: ${path}`,
      fault: `is the same parameter as ${tied[1]} in the base model; adapters of it are not supported`,
      hint: 'Save the base model with tie_word_embeddings: false and both weights, and load the adapter on it.',
    });
  }
  if (model.parameters.has(`${path}.weight`)) {
    return new UserError({
      where: `${where}: ${path}`,
      fault: 'is not a linear layer; adapters of other layers are not supported',
    });
  }
  return new UserError({
    where: `${where}: ${name}`,
    fault: 'is not a module of the base model',
    hint: `${suggest(name, known).slice(0, 300)} Was the adapter made for another base model?`,
  });
}
