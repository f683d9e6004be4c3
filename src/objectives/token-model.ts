import { input } from '../graph/build.ts';
import { symbol } from '../graph/dimension.ts';
import type { CommonConfig, ModelDefinition } from '../models/model-definition.ts';
import { crossEntropy } from '../nn/losses.ts';
import { LABEL_ROWS } from './labelled-rows.ts';
import { type TaskModel, taskModel } from './task-model.ts';

/** Heads that give logits for every token. */
export type TokenHeadKind = 'TOKEN_CLS' | 'MASKED_LM' | 'CAUSAL_LM' | 'SEQ_2_SEQ_LM';

/**
 * A model that tells something of each token: its class, or which word stands there or comes next. Its loss is the
 * mean over the labelled tokens alone; declares the inputs of {@link labelledRows}.
 */
export function tokenModel(headKind: TokenHeadKind) {
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
