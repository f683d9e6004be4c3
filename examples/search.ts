import { defineConfig, open, train } from 'adalora';

const pairs = [
  { question: 'How do I change my password?', answer: 'Open Settings, then Security.' },
  { question: 'When do I get my money back?', answer: 'Refunds take three days.' },
  { question: 'Do you deliver to Spain?', answer: 'We ship to all of Europe.' },
];
const config = defineConfig({
  model: 'sentence-transformers/all-MiniLM-L6-v2',
  task: 'sentence_embedding',
  method: 'lora',
  data: { train: pairs, anchor: 'question', positive: 'answer', normalize: true },
  training: { num_train_epochs: 10 },
  output: 'runs/search',
});
await train(config);
await using model = await open(config);
const [query, ...answers] = await model.embed(['lost password', ...pairs.map(({ answer }) => answer)]);
const cosine = (vector: Float32Array) => vector.reduce((sum, x, i) => sum + x * query![i]!, 0);
answers.forEach((vector, i) => console.log(cosine(vector).toFixed(2), pairs[i]!.answer));
