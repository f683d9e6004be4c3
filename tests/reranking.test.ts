import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { AutoModelForSequenceClassification, AutoTokenizer, env } from '@huggingface/transformers';
import { afterAll, expect, it } from 'vitest';
import { train } from '../src/studies/jobs/node/train.ts';
import { collect } from '../src/support/arrays.ts';
import type { ScoreAnswer } from '../src/tasks/regression/definition.ts';
import type { RunConfigInput } from '../src/training/run/config/run-config.ts';
import { open } from '../src/use/trained/node/open.ts';
import { jsonLines, newWorkspace, refuses, succeeds } from './support/commands.ts';
import { newFolder } from './support/new-folder.ts';
import { trainHere } from './support/train-here.ts';

const folder = newFolder();
afterAll(trainHere());

const WORDS = ['cat', 'dog', 'bird', 'house', 'tree', 'mat'];
const PAIRS = WORDS.map((word) => ({ query: `the ${word}`, positive: `old ${word} , red ${word}` }));

it('trains with mined negatives, and scores as its merged model and transformers.js do', async () => {
  const file = join(folder, 'pairs.jsonl');
  writeFileSync(file, PAIRS.map((row) => JSON.stringify(row)).join('\n'));
  const output = join(folder, 'run');
  const { metrics, verdict } = await train({
    model: 'src/tasks/sentence-embedding/fixtures/model',
    task: 'reranking',
    method: 'lora',
    output,
    data: { train: file, validation: file, negatives: 'mine' },
    training: { num_train_epochs: 30, per_device_train_batch_size: 6, learning_rate: 0.01 },
  } as RunConfigInput);
  // Each query shares a word with its text alone.
  expect(verdict?.to_beat).toMatchObject([
    { name: 'BM25', value: 1 },
    { name: 'the order of the model’s vectors before training' },
  ]);
  expect(verdict).toMatchObject({ score: 'ndcg@10', rows: 6 });
  expect(metrics['eval_ndcg@10']).toBeGreaterThan(verdict!.to_beat[1]!.value);

  const inputs = PAIRS.flatMap(({ query }) =>
    PAIRS.map(({ positive }) => ({ text: query, text_pair: positive })),
  );
  const scoresOf = async (path: string) => {
    await using model = await open(path);
    const found: ScoreAnswer[] = [];
    for await (const answer of model.predict(inputs)) found.push(answer as unknown as ScoreAnswer);
    return found;
  };
  const scores = await scoresOf(output);
  const [merged, onnx] = [join(folder, 'merged'), join(folder, 'onnx')];
  await using model = await open(output);
  await model.merge(merged);
  await model.export('onnx', onnx);
  const config = JSON.parse(readFileSync(join(merged, 'config.json'), 'utf8'));
  expect(config.architectures).toEqual(['BertForSequenceClassification']);
  expect(config.sentence_transformers.activation_fn).toBe('torch.nn.modules.activation.Sigmoid');

  // A merged model is recognized by its files. Merging rounds the weights once more.
  const whole = await scoresOf(merged);
  scores.forEach(({ logits, label }, i) => {
    expect(whole[i]!.logits[0]).toBeCloseTo(logits[0]!, 5);
    expect(label).toBeCloseTo(1 / (1 + Math.exp(-logits[0]!)), 6);
  });
  env.allowRemoteModels = false;
  const tokenizer = await AutoTokenizer.from_pretrained(onnx);
  const theirs = await AutoModelForSequenceClassification.from_pretrained(onnx, { dtype: 'fp32' });
  const texts = inputs.map(({ text }) => text);
  const pairs = { text_pair: inputs.map(({ text_pair }) => text_pair), padding: true, truncation: true };
  const { logits } = await theirs(tokenizer(texts, pairs));
  expect(logits.dims).toEqual([36, 1]);
  // The export computes sums in another order.
  scores.forEach(({ logits: [logit] }, i) => {
    expect(Math.abs(logits.data[i] - logit!)).toBeLessThan(1e-5);
  });
});

it('writes the negatives that a reranker chooses among similar texts', async () => {
  const workspace = newWorkspace();
  const model = resolve('src/tasks/sentence-embedding/fixtures/model');
  const [queries, texts] = [PAIRS.map(({ query }) => query), PAIRS.map(({ positive }) => positive)];
  const merged = join(folder, 'merged');
  await using reranker = await open(merged);
  const scoresOf = async (text: string) => {
    const asked = texts.map((text_pair) => ({ text, text_pair }));
    return (await collect(reranker.predict<unknown, ScoreAnswer>(asked))).map(({ label }) => label);
  };
  const expected = await Promise.all(
    queries.map(async (query, row) => {
      const scores = await scoresOf(query);
      const others = [...texts.keys()].filter((other) => other !== row);
      return others
        .sort((a, b) => scores[b]! - scores[a]!)
        .slice(0, 2)
        .map((other) => texts[other]!);
    }),
  );
  const file = join(folder, 'pairs.jsonl');
  const common = ['mine', file, '--model', model, '--set', 'num_negatives=2', '--set', 'max_score=1'];
  const printed = await succeeds(workspace.run(...common, '--reranker', merged));
  expect(printed).toBe(
    '6 of 6 rows have negatives, 12 texts in all. Written: pairs-mined.jsonl\nNext: npx adalora train pairs-mined.jsonl\n',
  );
  const rows = jsonLines(workspace.read('pairs-mined.jsonl').toString());
  expect(rows).toEqual(PAIRS.map((row, i) => ({ ...row, negative: expected[i] })));
  // The file is one of examples with hard negatives, and is not overwritten.
  expect(await succeeds(workspace.run('plan', 'pairs-mined.jsonl', '--model', model))).toContain('negative');
  expect(await succeeds(workspace.run(...common))).toContain('pairs-mined-2.jsonl');
  await refuses(workspace.run('mine', file, '--set', 'range=1'), /--set.*range.*Known: num_negatives/s);
  await refuses(workspace.run(...common, '--reranker', model), 'not a reranker');
});

const LABELLED = PAIRS.flatMap(({ query }) =>
  PAIRS.map(({ positive }) => ({ query, text: positive, label: Number(positive.includes(query.slice(4))) })),
);
const LISTED = PAIRS.map(({ query }) => ({
  query,
  text: PAIRS.map(({ positive }) => positive),
  label: PAIRS.map(({ positive }) => (positive.includes(query.slice(4)) ? 2 : 0)),
}));

it('learns lists by the lambda loss, also if none is named', async () => {
  const lossOf = async (output: string, data: object) => {
    const { metrics } = await train({
      model: 'src/tasks/sentence-embedding/fixtures/model',
      task: 'reranking',
      method: 'lora',
      output: join(folder, output),
      data: { train: LISTED, validation: '34%', text: 'text', label: 'label', ...data },
      training: { max_steps: 2, learning_rate: 0.01 },
    } as RunConfigInput);
    return metrics.eval_loss;
  };
  expect(await lossOf('detected', {})).toBe(await lossOf('named', { loss: 'lambda' }));
});

it.each([
  ['positives with mined negatives', PAIRS, { negatives: 'mine' }],
  ['texts with labels', LABELLED, { text: 'text', label: 'label' }],
  ['lists of texts', LISTED, { text: 'text', label: 'label' }],
])('holds out queries: %s', async (name, rows, columns) => {
  const { verdict, metrics } = await train({
    model: 'src/tasks/sentence-embedding/fixtures/model',
    task: 'reranking',
    method: 'lora',
    output: join(folder, name),
    data: { train: rows, validation: '34%', ...columns },
    training: { num_train_epochs: 2, learning_rate: 0.01 },
  } as RunConfigInput);
  // The units of the interval are queries.
  expect(verdict).toMatchObject({ score: 'ndcg@10', rows: 2 });
  expect(verdict!.to_beat.map(({ name }) => name)).toContain('BM25');
  expect(metrics['eval_recall@10']).toBeGreaterThan(0.99);
});
