import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as page from '../src/faces/web/index.ts';
import { nodeEngine, type OpenedModel, open, plan, train } from '../src/index.ts';
import { writeMadeAdapter } from './support/made-adapter.ts';
import { newFolder } from './support/new-folder.ts';
import { openForTask } from './support/open-for-task.ts';
import { writeTinyModel } from './support/tiny-model.ts';

/* A program in JavaScript may misspell an option. No public function ignores one. */

const root = newFolder();
let opened: OpenedModel;
let inPage: page.TrainedModel;

beforeAll(async () => {
  const [model, adapter] = [join(root, 'model'), join(root, 'adapter')];
  writeTinyModel(model);
  mkdirSync(adapter);
  writeMadeAdapter(adapter, model, { seed: 1 });
  opened = await open(adapter);
  const filesOf = (folder: string) =>
    new Map(readdirSync(folder).map((name) => [name, new Blob([readFileSync(join(folder, name))])]));
  inPage = await page.open(filesOf(adapter) as page.Trained, { model: filesOf(model) as never });
});
afterAll(async () => {
  await opened.close();
  await inPage.close();
});

const WRONG = { base_dtype: 'int8' } as never;
const first = (answers: AsyncGenerator<unknown>) => answers.next();
const TEXTS = [{ text: 'the cat' }];
const config = { data: { train: 'a.tsv', text: 'text', label: 'label' }, output: 'out' } as never;

const CALLS: Record<string, (options: never) => unknown> = {
  open: (options) => open('adapter', options),
  train: (options) => train(config, options),
  plan: (options) => plan(config, options),
  nodeEngine: (options) =>
    nodeEngine(openForTask(join(root, 'model'), 'single_label_classification', 2), 'cpu', options),
  predict: (options) => first(opened.predict(TEXTS, options)),
  embed: (options) => opened.embed(['a'], options),
  evaluate: (options) => opened.evaluate({ data: 'a.tsv', ...(options as object) } as never),
  generate: (options) => opened.generate('a', options),
  merge: (options) => opened.merge(join(root, 'merged'), options),
  'export as onnx': (options) => opened.export('onnx', join(root, 'onnx'), options),
  'export as lora': (options) => opened.export('lora', join(root, 'lora'), options),
  'page.open': (options) => page.open(new Map() as never, options),
  'page.train': (options) => page.train(config, options),
  'page.exportOnnx': (options) => page.exportOnnx(new Map() as never, options),
  'page.predict': (options) => first(inPage.predict(TEXTS, options)),
  'page.embed': (options) => inPage.embed(['a'], options),
  'page.evaluate': (options) => inPage.evaluate({ data: [], ...(options as object) } as never),
  'page.generate': (options) => inPage.generate('a', options),
};

describe.each(Object.entries(CALLS))('%s', (_, call) => {
  it('rejects an unknown option', async () => {
    await expect((async () => call(WRONG))()).rejects.toThrow('`base_dtype` is not a known option.');
  });

  it('rejects options that are no object', async () => {
    await expect((async () => call('int8' as never))()).rejects.toThrow(/object|is not a known option/);
  });
});

it('names the nearest option, and the type that a value must have', async () => {
  await expect(open('adapter', WRONG)).rejects.toThrow(/^open: .* baseDtype\?/);
  await expect(open('adapter', { batchSize: '8' } as never)).rejects.toThrow('open: `batchSize` must be');
  await expect(train(config, { onEvent: 'log' } as never)).rejects.toThrow(
    '`onEvent` must be a function, got "log".',
  );
  await expect(opened.generate('a', { onTxt: 1 } as never)).rejects.toThrow('Did you mean onText');
});

it('rejects unknown keys of `reading`, in Node and in a page', async () => {
  for (const model of [opened, inPage]) {
    const read = (reading: object) => first(model.predict(TEXTS, { reading }));
    await expect(read({ txt_pair: 'b' })).rejects.toThrow(
      'reading: `txt_pair` is not a known option. Did you mean text_pair?',
    );
    await expect(read({ text_pair: [] })).rejects.toThrow('`text_pair` must be a value of data.text_pair');
  }
});
