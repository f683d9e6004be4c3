import type { TaskType } from '../data/task-type.ts';

/** What is predicted for a row. */
export interface Prediction {
  /** The class, the classes of a multi-label task, or the score of a regression. */
  label: string | string[] | number;
  /** Of every class, in the order of the labels; none for regression. */
  probabilities?: number[];
}

/**
 * Reads a row's logits: the likeliest class with a softmax, every class above one half with a sigmoid each, or the score.
 */
export function prediction(logits: Float32Array, task: TaskType, labels: readonly string[]): Prediction {
  switch (task) {
    case 'single_label_classification': {
      const largest = logits.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
      const powers = Array.from(logits, (logit) => Math.exp(logit - largest));
      const sum = powers.reduce((a, b) => a + b, 0);
      return {
        label: labels[logits.indexOf(largest)],
        probabilities: powers.map((power) => shortest(power / sum)),
      };
    }
    case 'multi_label_classification': {
      const probabilities = Array.from(logits, (logit) => shortest(1 / (1 + Math.exp(-logit))));
      return { label: labels.filter((_, i) => logits[i] > 0), probabilities };
    }
    case 'regression':
      return { label: shortest(logits[0]) };
  }
}

/** The shortest decimal number that is the same 32-bit float. */
export function shortest(value: number): number {
  for (let digits = 6; digits < 9; digits++) {
    const rounded = Number(value.toPrecision(digits));
    if (Math.fround(rounded) === Math.fround(value)) return rounded;
  }
  return Number(value.toPrecision(9));
}
