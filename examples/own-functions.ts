import { train } from 'adalora';

/* An importance score, a budget schedule and a loss of one's own. They run in this thread. */
const { metrics, ranks } = await train({
  model: 'sentence-transformers/all-MiniLM-L6-v2',
  data: { train: 'train.tsv', validation: 'dev.tsv', text: 'sentence', label: 'label' },
  method: 'adalora',
  adalora: {
    // Importance of one trained number: its smoothed sensitivity, its uncertainty, and its value.
    score: ({ sensitivity, uncertainty }) => sensitivity / (1e-3 + uncertainty),
    // Triplets that may be kept after a step.
    schedule: (step) => Math.max(96, 288 - step),
  },
  training: {
    // Cross-entropy, and a penalty for large logits.
    compute_loss_func: (logits, labels, { add, average, crossEntropy, multiply }) =>
      add(crossEntropy(logits, labels), multiply(average(multiply(logits, logits)), 0.01)),
  },
  output: 'runs/own-functions',
});
console.log(metrics, ranks);
