import { input } from '../graph/build.ts';
import { symbol } from '../graph/dimension.ts';
import type { HeadKind } from '../models/heads/registry.ts';
import type { CommonConfig, ModelDefinition } from '../models/model-definition.ts';
import { crossEntropy } from '../nn/losses.ts';
import { LABEL_ROWS } from './labelled-rows.ts';
import { type TaskModel, taskModel } from './task-model.ts';

/**
 * A model with logits for every token: its class, its word, or the next word. The loss is the mean over labelled
 * tokens. Declares the inputs of {@link labelledRows}.
 *
 * @param headKind a head with logits for every token
 */
export function tokenModel(headKind: HeadKind) {
  return (definition: ModelDefinition, config: CommonConfig): TaskModel =>
    taskModel(definition, config, headKind, (logits, { graph }, { labelSmoothing } = {}) => {
      const labelled = [symbol('labelled')];
      const rows = input(graph, LABEL_ROWS, 'int32', labelled);
      return crossEntropy(
        logits(() => ({ logitRows: rows })),
        input(graph, 'labels', 'int32', labelled),
        labelSmoothing,
      );
    });
}
