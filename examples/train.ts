import { open, train } from 'adalora';

const { metrics, ranks } = await train({
  model: 'sentence-transformers/all-MiniLM-L6-v2',
  data: { train: 'train.tsv', validation: 'dev.tsv', text: 'sentence', label: 'label' },
  output: 'runs/example',
});
console.log(metrics, ranks);

const model = await open('runs/example');
for await (const { label, probabilities } of model.predict([{ text: 'The cat sat on the mat.' }]))
  console.log(label, probabilities);
await model.close();
