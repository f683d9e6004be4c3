import { afterAll, beforeAll, expect, it } from 'vitest';
import { open, train } from '../src/index.ts';
import { randomBatch } from '../src/input/text/batches.ts';
import { nodeEngine } from '../src/program/node/node-engine.ts';
import { modelFeeds } from '../src/program/objectives/model-inputs.ts';
import { Program } from '../src/program/program.ts';
import { fitTemperature } from '../src/studies/jobs/contenders/conclude.ts';
import { startMethod } from '../src/studies/jobs/set-up-run.ts';
import { newWorkspace } from './support/commands.ts';
import { openIn } from './support/describe-in.ts';
import { methodConfig } from './support/method-config.ts';
import { writeTinyData } from './support/tiny-data.ts';
import { writeTinyEntities } from './support/tiny-entities.ts';
import { BUILDS, familiesAndHeads, writeTinyHead } from './support/tiny-head.ts';
import { trainHere } from './support/train-here.ts';

/* The scores that a run reports are those of the model that it saves. */

const workspace = newWorkspace();
beforeAll(() => {
  for (const [i, part] of ['train', 'dev'].entries()) {
    writeTinyData(workspace.path(`SEQ_CLS-${part}.tsv`), 60, i);
    writeTinyEntities(workspace.path(`TOKEN_CLS-${part}.tsv`), 30, i);
  }
});
afterAll(trainHere());

it('rows that are all right make a model no more certain', () => {
  expect(fitTemperature((factor) => Math.log1p(Math.exp(-2 * factor)))).toBe(1);
});

it.each([
  // A margin of 8 with 3 of 4 rows right: the best margin is log 3.
  [8, 8 / Math.log(3)],
  // The best margin is larger.
  [1, 1],
])('a margin of %d with three of four rows right has the temperature %d', (margin, expected) => {
  const loss = (factor: number) =>
    (3 * Math.log1p(Math.exp(-margin * factor)) + Math.log1p(Math.exp(margin * factor))) / 4;
  // The search ends at a precision of 1e-3 of the temperature.
  expect(fitTemperature(loss) / expected).toBeCloseTo(1, 3);
});

const WITH_CLASSES = familiesAndHeads().filter(
  ([family, head]) =>
    /^(SEQ|TOKEN)_CLS$/.test(head) && !/^(vit|deit|dinov2|clip|siglip|whisper)/.test(family),
);

// A temperature divides this layer, and a probe takes its place.
it.each(WITH_CLASSES)('the last linear layer of %s with %s gives its logits', async (family, head) => {
  const folder = workspace.path(`${family}-${head}`);
  writeTinyHead(folder, family, head);
  const model = openIn(folder, BUILDS[head]);
  const { tuner } = startMethod(methodConfig('lora'), model, 1).run;
  const program = new Program(nodeEngine(model, 'cpu'), model, tuner);
  const feeds = modelFeeds(randomBatch(model.config.vocabSize, 2, 9, 'logits'));
  const values = tuner.initialValues(3, model.reader(3));
  const before = (await program.predict(values, feeds)).slice();
  for (const { name, start, end } of tuner.layout.segments)
    if (name.startsWith(`${model.linears.at(-1)!.path}.`)) for (let i = start; i < end; i++) values[i]! *= 2;
  expect(await program.predict(values, feeds)).toEqual(before.map((logit) => 2 * logit));
  await program.release();
  model.close();
});

const CASES = [
  // These heads differ.
  ...['bert', 'roberta', 'deberta-v2', 'modernbert', 'bart', 'gpt2'].flatMap((family) =>
    [{}, { floor: true }].map((training) => [family, 'single_label_classification', 'lora', training]),
  ),
  ...['bert', 'gpt2'].map((family) => [family, 'token_classification', 'lora', {}]),
  ...['adalora', 'bitfit', 'full', 'ia3'].map((method) => [
    'gpt2',
    'single_label_classification',
    method,
    {},
  ]),
  ['bert', 'multi_label_classification', 'lora', {}],
  ['bert', 'single_label_classification', 'adapted head', {}],
] as [family: string, task: string, method: string, training: object][];

it.each(CASES)(
  '%s, %s, %s %j: reports the scores of the saved model',
  async (family, task, named, training) => {
    const head = task === 'token_classification' ? 'TOKEN_CLS' : 'SEQ_CLS';
    const name = [family, task, named, ...Object.keys(training)].join('-').replaceAll(' ', '-');
    const [model, output] = [`${name}-base`, name].map((folder) => workspace.path(folder));
    writeTinyHead(model!, family, head);
    const files = ['train', 'dev'].map((part) => workspace.path(`${head}-${part}.tsv`));
    const isAdapted = named === 'adapted head';
    const method = isAdapted ? 'lora' : named;
    const columns =
      head === 'TOKEN_CLS'
        ? {}
        : { text: 'sentence', label: task.startsWith('multi') ? 'tags' : 'label', pooling: 'none' };
    const data = { train: files[0], validation: files[1], max_length: 32, ...columns };
    const finish = await train({
      model,
      task,
      method,
      ...(isAdapted && { lora: { target_modules: ['query', 'classifier'] } }),
      data,
      output,
      // A high learning rate, so that the model is too certain.
      training: { max_steps: 12, learning_rate: method === 'full' ? 1e-2 : 5e-2, ...training },
    } as unknown as Parameters<typeof train>[0]);
    const opened = await open(output!);
    const scores = await opened.evaluate({ data: files[1]! });
    await opened.close();
    // Float32 weights are divided by the temperature and stored: 6e-8 of logits of up to 100, in another batch.
    for (const [key, value] of Object.entries(scores))
      expect(finish.metrics[key], key).toBeCloseTo(value as number, 4);
  },
);

it('says that a floor has no effect with several validation sets', async () => {
  writeTinyHead(workspace.path('sets-base'), 'bert', 'SEQ_CLS');
  const notices: string[] = [];
  const [rows, dev] = ['train', 'dev'].map((part) => workspace.path(`SEQ_CLS-${part}.tsv`));
  const runWith = async (validation: string | Record<string, string>, output: string) => {
    notices.length = 0;
    const data = { train: rows!, validation, text: 'sentence', label: 'label', max_length: 32 };
    await train(
      {
        model: workspace.path('sets-base'),
        method: 'lora',
        data: { ...data, pooling: 'none' },
        output: workspace.path(output),
        training: { max_steps: 2, floor: true },
      },
      { onEvent: (event) => event.type === 'notice' && void notices.push(event.message) },
    );
    return notices.filter((notice) => notice.startsWith('training.floor has no effect'));
  };
  expect(await runWith({ one: dev!, two: rows! }, 'two-sets')).toHaveLength(1);
  expect(await runWith(dev!, 'one-set')).toEqual([]);
});
