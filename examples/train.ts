import { open, train } from 'adalora';

const config = {
  model: 'sentence-transformers/all-MiniLM-L6-v2',
  data: { train: 'train.tsv', validation: 'dev.tsv', text: 'sentence', label: 'label' },
  adalora: { target_r: 8, init_r: 12, lora_alpha: 16, tinit: '10%', tfinal: '40%', deltaT: 10 },
  output: 'runs/example',
};
const { metrics, ranks } = await train(config, {
  onEvent: (event) => event.type === 'step' && console.log(event.step, event.loss),
});
console.log(metrics, ranks);

const model = await open(config);
for await (const { label, probabilities } of model.predict([{ text: 'The cat sat on the mat.' }]))
  console.log(label, probabilities);
console.log(await model.evaluate({ data: 'dev.tsv' }));
await model.close();
