import { open, train } from 'adalora';

const pairs = [
  { question: 'How do I change my password?', answer: 'Open Settings, then Security.' },
  { question: 'When do I get my money back?', answer: 'Refunds take three days.' },
  { question: 'Do you deliver to Spain?', answer: 'We ship to all of Europe.' },
];
const config = {
  ...({
    model: 'sentence-transformers/all-MiniLM-L6-v2',
    task: 'sentence_embedding',
    method: 'lora',
  } as const),
  data: { train: pairs, anchor: 'question', positive: 'answer' },
  training: { num_train_epochs: 10 },
  output: 'runs/search',
};
await train(config);

await using model = await open(config);
const [query, ...answers] = await model.embed(['lost password', ...pairs.map(({ answer }) => answer)]);
const cosine = (a: Float32Array, b: Float32Array) =>
  a.reduce((sum, x, i) => sum + x * b[i]!, 0) / (Math.hypot(...a) * Math.hypot(...b));
answers.forEach((vector, i) => console.log(cosine(query!, vector).toFixed(2), pairs[i]!.answer));
