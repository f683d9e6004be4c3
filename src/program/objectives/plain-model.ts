import type { HeadKind } from '../../models/heads/registry.ts';
import type { CommonConfig, ModelDefinition } from '../../models/model-definition.ts';
import { type TaskModel, taskModel } from './task-model.ts';

/**
 * A model with a head but without a loss. It cannot be trained.
 *
 * @param outputs number of outputs, for a head with labels
 */
export function plainModel(kind: HeadKind, outputs: number) {
  return (definition: ModelDefinition, config: CommonConfig): TaskModel => ({
    ...taskModel(definition, { ...config, numLabels: outputs }, kind, () => {
      throw new Error(`a model that is not for training was asked for its loss (${kind})`);
    }),
    withConfig: (other) => plainModel(kind, outputs)(definition, other),
  });
}
