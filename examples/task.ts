import { defineTask } from 'adalora';
import { average, greater, input, multiply, negate, reshape, subtract, where } from 'adalora/nn';
import { labeledTexts, scoreKind } from 'adalora/tasks';

/** `robust_regression`: numbers as in `regression`, with Huber's loss, which outliers move less. */
const huber = (error: number) => (Math.abs(error) > 1 ? Math.abs(error) - 0.5 : error ** 2 / 2);

declare module 'adalora' {
  interface DefinedTasks {
    robust_regression: {
      train: string;
      validation?: string;
      text: string;
      label: string;
      max_length?: number;
    };
  }
}

defineTask(
  'robust_regression',
  labeledTexts({
    ...scoreKind,
    name: 'robust regression',
    loss(logits) {
      const batch = logits.shape[0]!;
      const labels = input(logits.node.graph, 'labels', 'float32', [batch]);
      const error = subtract(reshape(logits, [batch]), labels);
      const size = where(greater(error, 0), error, negate(error));
      return average(where(greater(size, 1), subtract(size, 0.5), multiply(multiply(error, error), 0.5)));
    },
    evaluationLoss(logits, _outputs, targets) {
      let total = 0;
      for (let i = 0; i < targets.length; i++) total += huber(logits[i]! - targets[i]!);
      return total / targets.length;
    },
    // Models without a note of their task are not for this one.
    recognizes: () => false,
  }),
  import.meta,
);
