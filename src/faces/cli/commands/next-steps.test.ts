import { expect, it } from 'vitest';
import { parseRunConfig } from '../../../training/run/config/parse-run-config.ts';
import { nextSteps } from './train.ts';

const stepsAfter = (task: string, data: object = {}) =>
  nextSteps(parseRunConfig({ task, output: 'run', data: { train: 'a.csv', ...data } }, () => 'x'));

it.each([
  ['single_label_classification', { text: 'a', label: 'b' }, /adalora predict run +predict for texts/],
  [
    'sentence_embedding',
    { text: 'a', text_pair: 'b', label: 'c' },
    /adalora embed run texts\.txt +a line of JSON with the vector/,
  ],
])('after a run of %s, the first step uses the model', (task, data, step) => {
  expect(stepsAfter(task, data).split('\n')[1]).toMatch(step);
});
