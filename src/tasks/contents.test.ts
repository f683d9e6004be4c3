import { expect, it } from 'vitest';
import { Texts } from '../program/modalities/texts.ts';
import { taskNamed } from './registry.ts';
import { withContents } from './task-definition.ts';

const FILE = { name: 'x.parquet', size: 1, read: () => '', contentColumns: { image: 'image' } };
const texts = new Texts({
  tokenizer: {} as never,
  maxLength: 1,
  vocabSize: 1,
  chatTemplate: () => ({ render: () => '' }),
});

it('a model of texts refuses the images that a task reads, and ignores those in other columns', async () => {
  const read = (task: Parameters<typeof taskNamed>[0], reading: object) =>
    withContents([FILE], taskNamed(task), texts, reading);
  const asked = { anchor: 'question', positive: 'answer' };
  expect(await read('sentence_embedding', asked)).toEqual([FILE]);
  expect(await read('causal_lm', { text: 'caption' })).toEqual([FILE]);
  const refused: [Parameters<typeof read>[0], object][] = [
    ['single_label_classification', { text: 'image', label: 'label' }],
    ['sentence_embedding', { anchor: 'question', positive: 'image' }],
    ['causal_lm', {}],
    ['seq2seq_lm', {}],
  ];
  for (const [task, reading] of refused)
    await expect(read(task, reading)).rejects.toThrow('has images, but the model reads texts');
});
