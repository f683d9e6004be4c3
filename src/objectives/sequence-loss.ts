import type { TaskType } from '../data/task-type.ts';
import { input, reshape } from '../graph/build.ts';
import type { Value } from '../graph/graph.ts';
import { binaryCrossEntropy, crossEntropy, meanSquaredError } from '../nn/losses.ts';
import type { HostTensor } from '../runtime/session.ts';

const LABELS = 'labels';

/** The mean loss of a batch, as transformers chooses it by problem type; declares the input `labels`. */
export function sequenceLoss(logits: Value, task: TaskType): Value {
  const [batch, classes] = logits.shape;
  const { graph } = logits.node;
  switch (task) {
    case 'single_label_classification':
      return crossEntropy(logits, input(graph, LABELS, 'int32', [batch]));
    case 'regression':
      return meanSquaredError(reshape(logits, [batch]), input(graph, LABELS, 'float32', [batch]));
    case 'multi_label_classification':
      return binaryCrossEntropy(logits, input(graph, LABELS, 'float32', [batch, classes]));
  }
}

/** The targets of some examples, out of those of a data set (as {@link toTargets} lays them out), as that input. */
export function labelFeed(
  targets: Int32Array | Float32Array,
  examples: Int32Array,
  rowsInAll: number,
): Record<typeof LABELS, HostTensor> {
  const width = targets.length / rowsInAll;
  const data = new (targets.constructor as typeof Float32Array)(examples.length * width) as typeof targets;
  examples.forEach((example, row) => {
    data.set(targets.subarray(example * width, (example + 1) * width), row * width);
  });
  const isVector = targets instanceof Int32Array || width === 1;
  return { [LABELS]: { data, dims: isVector ? [examples.length] : [examples.length, width] } };
}
