import { input, reshape } from '../../engine/graph/build.ts';
import { multiplyDimensions, symbol } from '../../engine/graph/dimension.ts';
import type { HeadKind } from '../../models/heads/registry.ts';
import type { CommonConfig, ModelDefinition } from '../../models/model-definition.ts';
import { crossEntropy } from '../../models/nn/losses.ts';
import { LABEL_ROWS } from './labelled-rows.ts';
import { lossInParts } from './loss-in-parts.ts';
import { ownLoss } from './own-loss.ts';
import { type TaskModel, taskModel } from './task-model.ts';

/** A vocabulary of this size or more is scored in parts. */
const MANY_WORDS = 8192;
/** Each part reads the vocabulary again, so parts are few. */
const PARTS = 4;

/**
 * A model with logits for every token: its class, its word, or the next word. The loss is the mean over labeled
 * tokens. Declares the inputs of `labelledRows`. With a large vocabulary it has `labelParts`.
 *
 * @param headKind a head with logits for every token
 */
export function tokenModel(headKind: HeadKind, { manyWords = MANY_WORDS, parts = PARTS } = {}) {
  return (definition: ModelDefinition, config: CommonConfig): TaskModel => {
    const model = taskModel(definition, config, headKind, (logits, { graph }, options = {}) => {
      const { labelSmoothing: smoothing, training = false, customLoss } = options;
      const each = symbol('labelled');
      const targets = (name: string) => {
        if (!isInParts) return input(graph, name, 'int32', [each]);
        return reshape(input(graph, name, 'int32', [parts, each]), [multiplyDimensions(parts, each)]);
      };
      const rows = targets(LABEL_ROWS);
      const outputs = logits(() => ({ logitRows: rows }));
      if (customLoss) return ownLoss(customLoss, outputs, targets('labels'));
      if (!isInParts) return crossEntropy(outputs, targets('labels'), smoothing);
      return lossInParts(outputs, rows, targets('labels'), { parts, smoothing, training });
    });
    const isInParts = model.words !== undefined && config.vocabSize >= manyWords;
    return {
      ...model,
      ...(isInParts && { labelParts: parts }),
      withConfig: (other) => tokenModel(headKind, { manyWords, parts })(definition, other),
    };
  };
}
