import { open, train } from 'adalora';

const data = { train: 'shop/train.tsv', text: 'text', label: 'label' };
const { metrics, ranks } = await train({ data, output: 'runs/shop' });
console.log(metrics, ranks);
const model = await open('runs/shop');
const [answer] = await model.predict(['Where is my order?']);
console.log(answer?.label, answer?.probabilities);
await model.close();
