import { train } from 'adalora';

/* A loss of one's own. It builds a graph in this thread. */
const { metrics } = await train({
  model: 'sentence-transformers/all-MiniLM-L6-v2',
  data: { train: 'train.tsv', validation: 'dev.tsv', text: 'sentence', label: 'label' },
  training: {
    // Cross-entropy, and a penalty for large logits.
    compute_loss_func: (logits, labels, { add, average, crossEntropy, multiply }) =>
      add(crossEntropy(logits, labels), multiply(average(multiply(logits, logits)), 0.01)),
  },
  output: 'runs/own-loss',
});
console.log(metrics);
