import type { TaskType } from '../data/task-type.ts';

/** Mean task loss over a data set, from its logits [rows, labels]; the same losses as `sequenceLoss`, in 64 bits. */
export function evaluationLoss(
  task: TaskType,
  logits: Float32Array,
  numLabels: number,
  targets: Int32Array | Float32Array,
): number {
  const losses: Record<TaskType, () => number> = {
    single_label_classification: () => {
      let total = 0;
      targets.forEach((label, row) => {
        const scores = logits.subarray(row * numLabels, (row + 1) * numLabels);
        const largest = Math.max(...scores);
        total += largest - scores[label];
        total += Math.log(scores.reduce((sum, score) => sum + Math.exp(score - largest), 0));
      });
      return total / targets.length;
    },
    regression: () => meanOver(targets, (target, i) => (logits[i] - target) ** 2),
    multi_label_classification: () =>
      meanOver(targets, (target, i) => {
        const x = logits[i];
        return Math.max(x, 0) - x * target + Math.log1p(Math.exp(-Math.abs(x)));
      }),
  };
  return losses[task]();
}

function meanOver(targets: Int32Array | Float32Array, loss: (target: number, i: number) => number): number {
  let total = 0;
  for (let i = 0; i < targets.length; i++) total += loss(targets[i], i);
  return total / targets.length;
}
