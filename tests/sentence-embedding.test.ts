import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { train } from '../src/studies/jobs/node/train.ts';
import { verdictSentence } from '../src/studies/report/verdict-sentence.ts';
import { cosine } from '../src/tasks/sentence-vectors.ts';
import type { RunConfigInput } from '../src/training/run/config/run-config.ts';
import { open } from '../src/use/trained/node/open.ts';
import { SENTENCE_FILES } from '../src/use/trained/sentence-files.ts';
import { writeMadeAdapter } from './support/made-adapter.ts';
import { newFolder } from './support/new-folder.ts';
import { writeTinyModel } from './support/tiny-model.ts';
import { trainHere } from './support/train-here.ts';
import { Workspace } from './support/workspace.ts';

const FIXTURES = 'src/tasks/sentence-embedding/fixtures';
const MODEL = join(FIXTURES, 'model');
const QUESTIONS = ['cat', 'dog', 'bird', 'house', 'tree', 'mat'];
const PAIRS = QUESTIONS.map((word) => ({ question: `the ${word}`, answer: `old ${word} , red ${word}` }));

const folder = newFolder();
afterAll(trainHere());

function configOf(name: string, data: object, training: object = {}): RunConfigInput {
  return {
    model: MODEL,
    task: 'sentence_embedding',
    method: 'lora',
    output: join(folder, name),
    lora: { r: 4, lora_alpha: 16, target_modules: ['query', 'value', 'intermediate.dense'] },
    data,
    training: {
      num_train_epochs: 20,
      per_device_train_batch_size: 6,
      learning_rate: 0.01,
      ...training,
    },
  } as RunConfigInput;
}

const written = (name: string, content: string): string => {
  const path = join(folder, name);
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, content);
  return path;
};
const lines = (rows: readonly object[]): string => `${rows.map((row) => JSON.stringify(row)).join('\n')}\n`;

describe('a run on pairs', () => {
  const columns = { anchor: 'question', positive: 'answer' };

  it('finds more answers than its base, and works in sentence-transformers', async () => {
    const file = written('pairs.jsonl', lines(PAIRS));
    const config = configOf('pairs', { train: file, validation: file, ...columns });
    await using base = await open(MODEL);
    const before = await base.evaluate({ data: file, reading: columns });
    const { metrics, verdict } = await train(config);
    // The texts of each pair share a word.
    const start = { name: 'the model before training', value: before['eval_accuracy@1'], is_start: true };
    expect(verdict?.to_beat).toMatchObject([{ name: 'a bag of words', value: 1 }, start]);
    expect(metrics['eval_ndcg@10']).toBeGreaterThan(before['eval_ndcg@10']!);
    expect(metrics.eval_loss).toBeLessThan(before.eval_loss!);
    await using model = await open(config.output as string);
    const scores = await model.evaluate({ data: file });
    expect(scores).toEqual(Object.fromEntries(Object.keys(scores).map((key) => [key, metrics[key]])));
    const adapter = join(config.output as string, 'adapter');
    const read = (name: string) => JSON.parse(readFileSync(join(adapter, name), 'utf8'));
    expect(read('adapter_config.json').task_type).toBe('FEATURE_EXTRACTION');
    expect(read(SENTENCE_FILES.modules)).toHaveLength(3);
    expect(read(SENTENCE_FILES.pooling)).toMatchObject({ pooling_mode_mean_tokens: true });
    expect(read(SENTENCE_FILES.prompts).prompts).toMatchObject({ query: 'query : ', passage: 'passage : ' });

    // A merged model computes the same from its own files.
    const merged = join(folder, 'merged');
    await model.merge(merged);
    await using whole = await open(merged);
    const texts = ['the cat sat', 'blue bird'];
    const [ours, theirs] = [await model.embed(texts), await whole.embed(texts)];
    ours.forEach((vector, i) => {
      expect(vector.length).toBe(16);
      // Merging rounds the weights once more.
      for (const [at, x] of vector.entries()) expect(theirs[i]![at]).toBeCloseTo(x, 5);
    });
  });

  it('is cross-validated if it is short: every question is searched for among all answers', async () => {
    const file = written('few.jsonl', lines(PAIRS));
    const training = { num_train_epochs: 5, floor: true };
    const config = configOf('few', { train: file, ...columns, validation: '3 folds' }, training);
    const { metrics, verdict } = await train(config);
    expect(verdict).toMatchObject({ score: 'accuracy@1', folds: 3, rows: 6, candidates: 6 });
    expect(verdict!.interval![1] - verdict!.interval![0]).toBeGreaterThan(0.4);
    expect(metrics['eval_recall@10']).toBe(1);
    expect(verdictSentence(verdict!)).toMatch(
      /^too few rows to tell: .* on 6 rows among 6 texts, cross-validated/,
    );
  });

  it.each(['3 folds', '30%'])('ends with its base if training does not help: %s', async (validation) => {
    const file = written('same.jsonl', lines(PAIRS));
    const training = { learning_rate: 1e-9, max_steps: 2, floor: true };
    const name = `same ${validation.length}`;
    const config = configOf(name, { train: file, ...columns, validation }, training);
    const { verdict } = await train(config);
    expect(verdict).toMatchObject({ kept: 'start', learnt: false, candidates: 6 });
    expect(verdict!.findings[0]!.message).toContain('the result is the model before training');
    await using base = await open(MODEL);
    await using model = await open(config.output as string);
    const texts = PAIRS.map(({ question }) => question);
    expect(await model.embed(texts)).toEqual(await base.embed(texts));
  });
});

it.each([
  ['scored pairs', { text: 'a', text_pair: 'b', label: 'score', max_score: 5 }, 'eval_spearmanr'],
  [
    'scored pairs by squares',
    { text: 'a', text_pair: 'b', label: 'score', max_score: 5, loss: 'cosine' },
    'eval_pearson',
  ],
  ['labeled sentences', { text: 'a', label: 'class', margin: 0.5 }, 'eval_map@100'],
  [
    'triplets',
    { anchor: 'a', positive: 'b', negative: 'c', loss: 'triplet', margin: 0.5 },
    'eval_triplet_accuracy',
  ],
  [
    'hard negatives',
    { anchor: 'a', positive: 'b', negative: ['c'], symmetric: true, matryoshka_dims: [16, 4] },
    'eval_mrr@10',
  ],
])('learns from %s', async (name, columns, metric) => {
  const rows = QUESTIONS.map((word, i) => ({
    a: `the ${word}`,
    b: `${word} tree`,
    c: `${QUESTIONS[(i + 1) % 6]} flew`,
    score: i % 2 === 0 ? 5 : 1,
    class: i % 2,
  }));
  const file = written(`${name}.jsonl`, lines(rows));
  const { metrics } = await train(
    configOf(name, { train: file, validation: file, ...columns }, { max_steps: 30 }),
  );
  await using base = await open(MODEL);
  const before = await base.evaluate({ data: file, reading: columns });
  expect(metrics.eval_loss).toBeGreaterThanOrEqual(0);
  expect(metrics[metric]).toBeGreaterThanOrEqual(before[metric as 'eval_loss']!);
});

it('adds negatives that the model finds among the texts of the training rows', async () => {
  const file = written('mined.jsonl', lines(PAIRS));
  const data = { train: file, validation: file, anchor: 'question', positive: 'answer' };
  const lossOf = async (name: string, more: object) => {
    const training = { num_train_epochs: 1, learning_rate: 1e-9, lr_scheduler_type: 'constant' };
    const { metrics } = await train(configOf(name, { ...data, ...more }, training));
    return metrics.eval_loss!;
  };
  const answers = PAIRS.map(({ answer }) => answer);
  await using model = await open(MODEL);
  const [questions, texts] = [
    await model.embed(
      PAIRS.map(({ question }) => question),
      { promptName: 'query' },
    ),
    await model.embed(answers),
  ];
  const negative = questions.map((question, row) => {
    const others = [...answers.keys()].filter((other) => other !== row);
    const scores = texts.map((text) => cosine(question, text));
    return answers[others.sort((a, b) => scores[b]! - scores[a]!)[0]!]!;
  });
  const triplets = written(
    'triplets.jsonl',
    lines(PAIRS.map((row, i) => ({ ...row, negative: negative[i] }))),
  );
  const mined = await lossOf('mined', { negatives: { num_negatives: 1, max_score: 2 } });
  const given = await lossOf('given', { train: triplets, validation: triplets, negative: 'negative' });
  // The same texts in the same order.
  expect(mined).toBeCloseTo(given, 6);
  expect(mined).toBeGreaterThan((await lossOf('plain', {})) + 1e-3);
  // None passes the limit, so every row remains a pair.
  const none = await lossOf('none', { negatives: { max_score: -2 } });
  expect(none).toBeLessThan(mined);
});

it('reads a retrieval set in the form of BEIR', async () => {
  const beir = join(folder, 'beir');
  written(
    'beir/corpus.jsonl',
    lines(PAIRS.map(({ answer }, i) => ({ _id: `d${i}`, title: 'the', text: answer }))),
  );
  written('beir/queries.jsonl', lines(PAIRS.map(({ question }, i) => ({ _id: `q${i}`, text: question }))));
  written(
    'beir/qrels/train.tsv',
    ['query-id\tcorpus-id\tscore', ...PAIRS.map((_, i) => `q${i}\td${i}\t1`)].join('\n'),
  );
  written('beir/qrels/test.tsv', 'query-id\tcorpus-id\tscore\nq0\td0\t1\nq1\td1\t1\nq1\td2\t0\n');
  const files = { train: join(beir, 'qrels/train.tsv'), validation: join(beir, 'qrels/test.tsv') };
  const { metrics } = await train(configOf('beir-run', files));
  expect(metrics['eval_recall@5']).toBeGreaterThan(0.4);
  const held = await train(configOf('beir-held', { train: files.train, validation: '25%' }));
  expect(held.metrics['eval_recall@5']).toBeGreaterThan(0);
  written('beir/qrels/bad.tsv', 'query-id\tcorpus-id\tscore\nq0\td99\t1\n');
  await expect(train(configOf('bad', { train: join(beir, 'qrels/bad.tsv') }))).rejects.toThrow(
    /bad\.tsv:2 has the text "d99", which is not in corpus\.jsonl/,
  );
});

it('opens an adapter from sentence-transformers, without notes', async () => {
  await using model = await open(join(FIXTURES, 'lora', 'adapter'), { model: MODEL });
  const { probe, embeddings } = JSON.parse(readFileSync(join(FIXTURES, 'lora', 'trace.json'), 'utf8'));
  const vectors = await model.embed(probe);
  vectors.forEach((vector, i) => {
    for (const [at, x] of vector.entries()) expect(x).toBeCloseTo(embeddings[i][at], 5);
  });
});

it('embeds with prompts, at fewer dimensions, and reports errors', async () => {
  await using model = await open(MODEL);
  const [plain, named, given] = [
    await model.embed(['the cat']),
    await model.embed(['the cat'], { promptName: 'query' }),
    await model.embed(['the cat'], { prompt: 'query : ' }),
  ];
  expect(named).toEqual(given);
  expect(named).not.toEqual(plain);
  const [short] = await model.embed(['the cat'], { dimensions: 4 });
  // SentenceTransformer(MODEL, truncate_dim=4) cuts the vector and does not scale it.
  expect(short).toEqual(plain[0]!.slice(0, 4));
  await expect(model.embed(['a'], { promptName: 'quary' })).rejects.toThrow(
    /one of document, passage, query.*quary/,
  );
  await expect(model.embed(['a'], { dimensions: 17 })).rejects.toThrow(/from 1 to 16/);
});

it.each(['mean', 'cls', 'lasttoken'])(
  'gives zeros for a text without tokens, pooled by %s',
  async (pooling) => {
    const path = join(folder, `bare-${pooling}`);
    writeTinyModel(path);
    const tokenizer = JSON.parse(readFileSync(join(path, 'tokenizer.json'), 'utf8'));
    writeFileSync(join(path, 'tokenizer.json'), JSON.stringify({ ...tokenizer, post_processor: null }));
    const adapter = join(folder, `bare-adapter-${pooling}`);
    mkdirSync(adapter);
    const data = { text: 'text', label: 'label', pooling };
    writeMadeAdapter(adapter, path, { task: 'sentence_embedding', labels: [], seed: 1, data });
    await using model = await open(adapter);
    const [[alone], [empty, cat], [only]] = [
      await model.embed(['']),
      await model.embed(['', 'the cat']),
      await model.embed(['the cat']),
    ];
    // As SentenceTransformer.encode gives them.
    expect(alone).toEqual(new Float32Array(alone!.length));
    expect(empty).toEqual(alone);
    cat!.forEach((x, i) => void expect(x).toBeCloseTo(only![i]!, 5));
  },
);

it('reports all errors in its columns at once', async () => {
  const data = { train: 'x', anchor: 'a', text: 'b', loss: 'cosent', matryoshka_weights: [1] };
  await expect(train(configOf('wrong', data))).rejects.toThrow(
    /data\.text.*\n.*data\.positive.*\n.*data\.label.*\n.*data\.loss.*\n.*data\.matryoshka_weights/,
  );
});

it('asks for a second row of a class to judge labeled sentences', async () => {
  const rows = QUESTIONS.map((text) => ({ text, class: text }));
  const file = written('single.jsonl', lines(rows));
  const data = { train: file, validation: file, text: 'text', label: 'class' };
  await expect(train(configOf('single', data))).rejects.toThrow(/single\.jsonl has no two rows of one class/);
});

it('prints one JSON line per text', async () => {
  const workspace = new Workspace();
  try {
    await using model = await open(MODEL);
    const texts = ['the cat sat', '', 'blue bird'];
    const vectorsOf = (stdout: string) =>
      stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line).embedding as number[]);
    const expected = await model.embed(texts, { promptName: 'query', dimensions: 8 });
    const file = written('texts.txt', texts.join('\n'));
    const flags = ['--prompt-name', 'query', '--dimensions', '8'];
    const ended = await workspace.run('embed', resolve(MODEL), file, ...flags);
    expect(ended).toMatchObject({ code: 0, stderr: '' });
    // Numbers are printed with as few digits as identify the float32 value.
    expect(vectorsOf(ended.stdout).map((row) => Float32Array.from(row))).toEqual(expected);
    const table = written('texts.csv', 'id,body\n1,the cat sat\n2,"blue bird"\n');
    const ofTable = await workspace.run('embed', resolve(MODEL), table, '--text', 'body', ...flags);
    expect(vectorsOf(ofTable.stdout).map((row) => Float32Array.from(row))).toEqual([
      expected[0],
      expected[2],
    ]);
  } finally {
    workspace.remove();
  }
});

it('has an example of twenty lines, which docs/embeddings.md shows', () => {
  const example = readFileSync('examples/search.ts', 'utf8');
  expect(example.trimEnd().split('\n').length).toBeLessThanOrEqual(20);
  expect(readFileSync('docs/embeddings.md', 'utf8')).toContain(`\`\`\`ts\n${example}\`\`\`\n`);
});
