import { labelledRows } from '../src/objectives/labelled-rows.ts';
import { tokenModel } from '../src/objectives/token-model.ts';
import type { Tensors } from '../src/runtime/session.ts';
import { TASKS } from '../src/tasks/registry.ts';
import type { Batch } from '../src/text/collate.ts';

const TWO_CLASSES = TASKS.single_label_classification.build(['0', '1']);

/** The head of models in the bench, and the labels of a batch: two classes, or the next token. */
export function benchHead(causal = false) {
  return causal
    ? {
        build: tokenModel('CAUSAL_LM'),
        labels: ({ inputIds, batch, length }: Batch): Tensors => labelledRows(inputIds, batch, length, true),
      }
    : {
        build: TWO_CLASSES,
        labels: ({ batch }: Batch): Tensors => ({
          labels: { data: Int32Array.from({ length: batch }, (_, i) => i % 2), dims: [batch] },
        }),
      };
}
