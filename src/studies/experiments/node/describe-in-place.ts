import { resolveModel } from '../../../input/hub/node/resolve-model.ts';
import { defaultTargets } from '../../../methods/tuners/low-rank/adapted-modules.ts';
import { matchTargets } from '../../../methods/tuners/target-modules.ts';
import { taskNamed } from '../../../tasks/registry.ts';
import { describeFolder } from '../../../use/trained/node/load-model.ts';
import { buildModel } from '../../../use/trained/read-model.ts';
import type { Recipe } from '../../recipes/recipe.ts';
import type { ModelInPlace } from '../tables/model-in-place.ts';

/** Placeholder labels. Their number does not affect the adapted matrices. */
const LABELS = ['no', 'yes'];

/**
 * Describes a model that is used instead of the recipe's: its family, and the matrices that AdaLoRA adapts.
 *
 * @throws UserError for a model that is not available, or lacks the head that the recipe's task needs
 */
export async function modelInPlace(model: string, { task }: Recipe): Promise<ModelInPlace> {
  const folder = await resolveModel(model);
  const { definition, linears, head } = buildModel(
    taskNamed(task).build(LABELS),
    await describeFolder(folder),
  );
  const targets = defaultTargets({ definition, linears }, 'many');
  const paths = linears.map(({ path }) => path);
  const matched = matchTargets(paths, { target_modules: [...targets], modules_to_save: head.modules });
  return { model, modelType: definition.modelType, targets, matrices: matched.length };
}
