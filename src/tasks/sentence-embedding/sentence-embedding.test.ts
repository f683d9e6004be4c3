import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { largestDifference } from '../../../scripts/conformance/compare.ts';
import { textsIn } from '../../../tests/support/plain-texts.ts';
import { readSafetensors } from '../../../tests/support/safetensors-file.ts';
import { gradients } from '../../engine/autodiff/gradients.ts';
import { input } from '../../engine/graph/build.ts';
import { symbol } from '../../engine/graph/dimension.ts';
import { Graph } from '../../engine/graph/graph.ts';
import { holdOut } from '../../input/data/split-rows.ts';
import { PEFT_PREFIX } from '../../input/formats/adapters/stored-adapter.ts';
import { parseAdapterKey } from '../../methods/tuners/low-rank/peft-config.ts';
import { methodNamed } from '../../methods/tuners/registry.ts';
import { FROZEN } from '../../methods/tuners/tuner.ts';
import { nodeEngine } from '../../program/node/node-engine.ts';
import {
  arrangeColumns,
  arrangeOthers,
  columnInput,
  TARGETS,
} from '../../program/objectives/embedding-model.ts';
import { Program } from '../../program/program.ts';
import type { Baseline } from '../../scores/baselines/baseline.ts';
import { pearson, spearmanr } from '../../scores/metrics/regression-scores.ts';
import { queryScores, RETRIEVAL } from '../../scores/metrics/retrieval-scores.ts';
import { mean } from '../../support/numbers.ts';
import { Random } from '../../support/random.ts';
import { differentiateStep } from '../../training/train/differentiate-step.ts';
import { Updater } from '../../training/train/updater.ts';
import { openModel } from '../../use/trained/node/load-model.ts';
import { cosine, unit } from '../sentence-vectors.ts';
import { RowComparison } from './compare-rows.ts';
import { type EmbeddingData, embeddingDataSchema } from './data-section.ts';
import { sentenceEmbedding } from './definition.ts';
import { DENSE, type Embedding, embedTexts, findNearest } from './embed-texts.ts';
import { beirRows, buildRetrieval } from './embedding-rows.ts';
import { wordBaseline } from './word-baseline.ts';

const FIXTURES = join(dirname(fileURLToPath(import.meta.url)), 'fixtures');
const MODEL = join(FIXTURES, 'model');
const fixture = <T>(name: string): T => JSON.parse(readFileSync(join(FIXTURES, name), 'utf8'));

/** Rounding errors of float32 sums in another order, for numbers near 1. */
const ROUNDING = 1e-6;

const readingOf = (data: object) => embeddingDataSchema.parse(data) as EmbeddingData;

/** Opens the model with a `data` section, and the context for its examples. */
async function opened(data: object = {}) {
  const reading = readingOf(data);
  const model = await openModel(MODEL, sentenceEmbedding.build([], reading));
  const modality = (await textsIn(MODEL, model.config))();
  const context = { reading, labels: [], modality };
  return {
    model,
    context: {
      ...context,
      config: model.config,
      seed: 0,
      generationFiles: () => ({}),
    },
  };
}

describe('embeddings equal sentence-transformers', () => {
  const { texts, cases } = fixture<{
    texts: string[];
    cases: { mode: string; normalize: boolean; prompt: string; embeddings: number[][] }[];
  }>('embeddings.json');

  it.each(cases)('pooled by $mode, normalized: $normalize, after "$prompt"', async (expected) => {
    const { model, context } = await opened({ pooling: expected.mode, normalize: expected.normalize });
    const program = new Program(nodeEngine(model, 'cpu'), model, FROZEN.tuner);
    const inputs = texts.map((text) => ({ text, prompt: expected.prompt }));
    const tuned = { program, values: FROZEN.values, generator: () => Promise.reject(new Error('none')) };
    const answers = (await embedTexts.answer(inputs, tuned, context, 4)) as Embedding[];
    answers.forEach(({ embedding }, i) => {
      // The components of vectors that are not normalized are about 1.
      expect(largestDifference(embedding, expected.embeddings[i]!)).toBeLessThan(ROUNDING);
    });
    await program.release();
    model.close();
  });
});

interface LossCase {
  loss: EmbeddingData['loss'];
  /** Indices of the columns that it is given. */
  columns: number[];
  targets: number[] | null;
  value: number;
  gradients: number[][][];
  scale?: number;
  symmetric?: boolean;
  margin?: number;
  distance?: string;
  matryoshka_dims?: number[];
  matryoshka_weights?: number[];
}

describe('losses and their gradients equal sentence-transformers', () => {
  const { columns, cases } = fixture<{ columns: number[][][]; cases: LossCase[] }>('losses.json');

  it.each(cases)(
    '$loss of columns $columns, $scale $symmetric $margin $distance $matryoshka_dims',
    async (expected) => {
      const { columns: used, targets, value, gradients: wanted, ...settings } = expected;
      const count = used.length;
      const model = await openModel(
        MODEL,
        sentenceEmbedding.build([], readingOf({ ...formData(expected), ...settings })),
      );
      const width = columns[0]![0]!.length;
      const rows = columns[0]!.length;
      const outputs = input(new Graph(), 'outputs', 'float32', [symbol('texts'), width]);
      const loss = model.joint!.build(outputs);
      const session = await nodeEngine(model, 'cpu').open({ loss, gradient: gradients(loss, [outputs])[0]! });
      const data = Float32Array.from(used.flatMap((column) => columns[column]!.flat()));
      const groups = Array.from({ length: rows }, (_, row) =>
        Array.from({ length: count }, (_, column) => column * rows + row),
      );
      const arranged = count > 3 ? arrangeOthers(groups) : arrangeColumns(groups);
      const feeds = Object.fromEntries(
        arranged.map((column, i) => [
          columnInput(i),
          { data: Int32Array.from(column), dims: [column.length] },
        ]),
      );
      const Numbers = count === 1 ? Int32Array : Float32Array;
      const made = await session.run({
        ...feeds,
        outputs: { data, dims: [count * rows, width] },
        ...(targets && { [TARGETS]: { data: Numbers.from(targets), dims: [rows] } }),
      });
      // The tolerance is relative: cosines are multiplied by up to 20, and CoSENT takes exponentials of their
      // differences.
      expect(Math.abs((made.loss!.data[0] as number) - value)).toBeLessThan(ROUNDING * Math.max(1, value));
      expect(largestDifference(made.gradient!.data as Float32Array, wanted.flat(2))).toBeLessThan(
        ROUNDING * Math.max(1, ...wanted.flat(2).map(Math.abs)),
      );
      await session.release();
      model.close();
    },
  );
});

/** The columns that a loss needs. */
function formData({ columns: { length }, targets }: LossCase): object {
  if (length === 1) return { text: 'a', label: 'b' };
  if (targets) return { text: 'a', text_pair: 'b', label: 'c' };
  return { anchor: 'a', positive: 'b', ...(length > 2 && { negative: ['c', 'd'].slice(0, length - 2) }) };
}

interface Trace {
  steps: { pairs: [string, string][]; loss: number; objective: number; ranks?: Record<string, number> }[];
  probe: string[];
  embeddings: number[][];
}

const SETTINGS = {
  lora: { r: 3, lora_alpha: 6 },
  adalora: {
    init_r: 4,
    target_r: 2,
    tinit: 5,
    tfinal: 8,
    deltaT: 3,
    lora_alpha: 6,
    orth_reg_weight: 0.1,
    shrink: 'at-export',
  },
};

describe('thirty steps of training equal sentence-transformers with PEFT', () => {
  it.each(['lora', 'adalora'] as const)('with %s', async (method) => {
    const { steps, probe, embeddings } = fixture<Trace>(`${method}/trace.json`);
    const { model, context } = await opened({ anchor: 0, positive: 1 });
    const { config: schema, start } = methodNamed(method);
    const section = {
      ...SETTINGS[method],
      target_modules: ['query', 'value', 'intermediate.dense'],
    };
    const run = start(model, schema!.parse(section) as never, steps.length);
    const { layout } = run.tuner;
    const values = new Float32Array(layout.length);
    const initial = readSafetensors(join(FIXTURES, method, 'initial.safetensors'));
    const nameOf = (key: string) => parseAdapterKey(PEFT_PREFIX + key) as string;
    expect([...initial.keys()].map(nameOf).sort()).toEqual(layout.segments.map(({ name }) => name).sort());
    for (const [key, { data }] of initial) layout.read(values, nameOf(key)).set(data as Float32Array);
    const updater = new Updater(run, values, {
      learningRate: 5e-3,
      schedule: 'constant',
      warmupSteps: 0,
      totalSteps: steps.length,
      betas: [0.9, 0.999],
      epsilon: 1e-8,
      weightDecay: 0.01,
      decays: () => true,
      maxGradNorm: 0,
    });
    const program = new Program(nodeEngine(model, 'cpu'), model, run.tuner);
    for (const [i, { pairs, loss, objective, ranks }] of steps.entries()) {
      const columns = [0, 1].map((column) => pairs.map((pair) => pair[column as 0 | 1]));
      const set = sentenceEmbedding.examples(
        { form: 'pairs', fileName: 'x', columns },
        { ...context, reading: { ...context.reading, prompts: {} } },
      );
      const { feeds } = set.batch(Int32Array.from(pairs.keys()), i);
      const made = await program.differentiate(updater.values, feeds, 0, i);
      // The tolerance is relative: rounding errors grow with each step of Adam.
      expect(made.loss / loss).toBeCloseTo(1, 4);
      const regularizer = (made.regularizer ?? 0) * (run.tuner.regularizer?.weight ?? 0);
      expect((made.loss + regularizer) / objective).toBeCloseTo(1, 4);
      updater.apply(made.gradient);
      if (ranks) {
        const found = Object.entries(run.ranks()).map(([path, rank]) => [`${path}.lora_E`, rank]);
        expect(Object.fromEntries(found)).toEqual(ranks);
      }
    }
    for (const [key, { data }] of readSafetensors(join(FIXTURES, method, 'final.safetensors')))
      expect(largestDifference(layout.read(updater.values, nameOf(key)), data as Float32Array)).toBeLessThan(
        2e-4,
      );
    const tuned = { program, values: updater.values, generator: () => Promise.reject(new Error('none')) };
    const answers = await embedTexts.answer(
      probe.map((text) => ({ text, prompt: '' })),
      tuned,
      context,
      4,
    );
    answers.forEach((answer, i) => {
      expect(largestDifference((answer as Embedding).embedding, embeddings[i]!)).toBeLessThan(2e-4);
    });
    await program.release();
    model.close();
  });
});

it('groups may differ in size: a loss is of all negatives of a batch', async () => {
  const { model, context } = await opened({ anchor: 'a', positive: 'b', negative: 'c' });
  const columns = [
    ['the cat', 'a dog', 'blue bird'],
    ['cat mat', 'old dog', 'a bird'],
  ];
  const program = new Program(nodeEngine(model, 'cpu'), model, FROZEN.tuner);
  const lossOf = async (negatives: string[][], chosen: number[]) => {
    const rows = { form: 'pairs' as const, fileName: 'x', columns, negatives };
    const set = sentenceEmbedding.examples(rows, context);
    return program.loss(FROZEN.values, set.batch(Int32Array.from(chosen), 0).feeds);
  };
  // The loss ranks all negatives of a batch for every query, so their rows do not matter.
  const spread = await lossOf([['red mat'], ['a house'], ['new dog']], [0, 1, 2]);
  expect(await lossOf([['red mat', 'a house', 'new dog'], [], []], [0, 1, 2])).toBeCloseTo(spread, 6);
  expect(await lossOf([[], [], []], [0, 1, 2])).toBeLessThan(spread);
  expect(await lossOf([['red mat'], [], []], [1, 2])).toBeGreaterThan(0);
  await program.release();
  model.close();
});

it('a step in parts has the loss and the gradient of the whole', async () => {
  const texts = [
    'the cat sat',
    'a dog ran on the mat',
    'blue bird',
    'old house under a tree',
    'red mat',
    'new dog',
  ];
  const columns = [texts, [...texts.slice(2), 'the cat', 'old old bird flew']];
  const all = Int32Array.from(texts.keys());
  const objectiveOf = async (data: object, parts: Int32Array[]) => {
    const { model, context } = await opened({ anchor: 0, positive: 1, ...data });
    const set = sentenceEmbedding.examples({ form: 'pairs', fileName: 'x', columns }, context);
    const { tuner } = methodNamed('adalora').start(
      model,
      methodNamed('adalora').config!.parse({ init_r: 3, target_r: 2, orth_reg_weight: 0.3 }) as never,
      10,
    );
    const values = tuner.initialValues(1, model.reader(1)).map((x, i) => x + 0.1 * Math.sin(i));
    const program = new Program(nodeEngine(model, 'cpu'), model, tuner);
    const batches = parts.map((part, number) => ({
      ...set.batch(part, number),
      examples: part.length,
      tokens: part.length,
      number,
      weight: part.length / texts.length,
    }));
    const made = await differentiateStep(program, values, batches, 0);
    const copy = { ...made, gradient: made.gradient.slice() };
    await program.release();
    model.close();
    return copy;
  };
  const whole = await objectiveOf({}, [all]);
  for (const [data, parts] of [
    [{ mini_batch_size: 3 }, [all]],
    [{}, [all.slice(0, 4), all.slice(4)]],
    [{ mini_batch_size: 2 }, [all.slice(0, 1), all.slice(1, 5), all.slice(5)]],
  ] as const) {
    const made = await objectiveOf(data, [...parts]);
    expect(made.loss).toBeCloseTo(whole.loss, 5);
    expect(made.regularizer).toBeCloseTo(whole.regularizer!, 5);
    // Sums of a few numbers below 1, in another order.
    expect(largestDifference(made.gradient, whole.gradient)).toBeLessThan(1e-5);
  }
  expect(Math.max(...whole.gradient)).toBeGreaterThan(1e-2);
});

it("scores equal sentence-transformers' evaluators", () => {
  const { embeddings, gold, queries, corpus, relevant, retrieval, similarity, triplets } = fixture<{
    embeddings: number[][];
    gold: number[];
    queries: number[][];
    corpus: number[][];
    relevant: number[][];
    retrieval: Record<string, number>;
    similarity: Record<string, number>;
    triplets: Record<string, number>;
  }>('scores.json');
  const vectors = embeddings.map((row) => Float32Array.from(row));
  const units = corpus.map((row) => unit(Float32Array.from(row)));
  const found = queries.map((query, i) => {
    const ranked = findNearest(Float32Array.from(query), units, 100);
    return queryScores(
      ranked.map(({ number }) => relevant[i]!.includes(number)),
      relevant[i]!.length,
    );
  });
  for (const name of RETRIEVAL)
    expect(mean(found.map((scores) => scores[name]))).toBeCloseTo(retrieval[`x_cosine_${name}`]!, 12);
  const cosines = gold.map((_, i) => cosine(vectors[i]!, vectors[20 + i]!));
  // Cosines of float32 vectors.
  expect(pearson(cosines, gold)).toBeCloseTo(similarity.x_pearson_cosine!, 6);
  expect(spearmanr(cosines, gold)).toBeCloseTo(similarity.x_spearman_cosine!, 12);
  const right = Array.from(
    { length: 16 },
    (_, i) => cosine(vectors[i]!, vectors[16 + i]!) > cosine(vectors[i]!, vectors[32 + i]!),
  );
  expect(right.filter(Boolean).length / 16).toBeCloseTo(triplets.x_cosine_accuracy!, 12);
});

it('queries are held out with all their texts, and search the whole corpus', () => {
  const ids = Array.from({ length: 20 }, (_, i) => i);
  const jsonl = (text: (id: number) => string) =>
    ids.map((id) => JSON.stringify({ _id: `${id}`, text: text(id) })).join('\n');
  const rows = beirRows([
    setFile(
      'corpus.jsonl',
      jsonl((id) => `text ${id}`),
    ),
    setFile(
      'queries.jsonl',
      jsonl((id) => `query ${id}`),
    ),
    setFile(
      'qrels/train.tsv',
      ids.flatMap((id) => [`${id}\t${id}\t1`, `${id}\t${(id + 1) % 20}\t1`]).join('\n'),
    ),
  ]);
  const { train, validation } = holdOut(
    sentenceEmbedding.files.splittable!(rows, readingOf({ train: 'x' })),
    0.25,
  );
  expect([train, validation].map(({ columns }) => columns[0]!.length)).toEqual([30, 10]);
  const asked = [train, validation].map(({ retrieval }) => retrieval!.queries);
  expect(new Set(asked.flat()).size).toBe(20);
  expect(asked[1]).toHaveLength(5);
  for (const { columns, retrieval } of [train, validation]) {
    expect(new Set(columns[0])).toEqual(new Set(retrieval!.queries));
    expect(retrieval!.corpus).toHaveLength(20);
    retrieval!.queries.forEach((query, i) => {
      const id = Number(query.split(' ')[1]);
      const texts = Array.from(retrieval!.relevant[i]!, (number) => retrieval!.corpus[number]);
      expect(new Set(texts)).toEqual(new Set([`text ${id}`, `text ${(id + 1) % 20}`]));
    });
  }
});

describe('rows that are held out', () => {
  const numbers = Array.from({ length: 20 }, (_, i) => i);
  const heldOut = (columns: string[][], classes?: string[]) =>
    holdOut(
      sentenceEmbedding.files.splittable!(
        { form: classes ? 'labeled' : 'pairs', fileName: 'x', columns, ...(classes && { classes }) },
        readingOf({ train: 'x' }),
      ),
      0.25,
    ).validation;

  it('are searched for among the texts of all rows', () => {
    const columns = [numbers.map((i) => `question ${i}`), numbers.map((i) => `answer ${i}`)];
    const pairs = buildRetrieval(heldOut(columns))!;
    expect([pairs.queries.length, pairs.corpus.length]).toEqual([5, 20]);
    pairs.queries.forEach((query, i) => {
      expect([...pairs.relevant[i]!].map((at) => pairs.corpus[at])).toEqual([
        query.replace('question', 'answer'),
      ]);
    });
    const classes = numbers.map((i) => `${i % 4}`);
    const labeled = buildRetrieval(heldOut([columns[0]!], classes))!;
    expect([labeled.queries.length, labeled.corpus.length]).toEqual([5, 20]);
    for (const relevant of labeled.relevant) expect(relevant.size).toBe(5);
  });

  it('are scored by the answers that training rows take from them', () => {
    // Every question has one word of its answer, and two of the answer of another row.
    const columns = [
      numbers.map((i) => `own${i} next${i} last${i}`),
      numbers.map((i) => `own${i} next${(i + 1) % 20} last${(i + 1) % 20}`),
    ];
    const [{ scores }] = wordBaseline(undefined, heldOut(columns)) as [Baseline];
    expect(scores['accuracy@1']).toBe(0);
    expect(scores['recall@5']).toBe(1);
  });

  it('give intervals that cover the score of all queries in 95 % of samples', () => {
    const count = 60;
    const texts = Array.from({ length: count }, (_, i) => `${i}`);
    const comparison = new RowComparison({ form: 'pairs', fileName: 'x', columns: [texts, texts] });
    const all = Int32Array.from(texts.keys());
    const random = new Random(1, 'coverage');
    const samples = 200;
    const covered = { 'accuracy@1': 0, 'mrr@10': 0 };
    for (let sample = 0; sample < samples; sample++) {
      // The right answer is first, second, … with probabilities 1/2, 1/4, …: MRR is ln 2 without a cut.
      const outputs = texts.map(() => {
        let rank = 0;
        while (random.uniform() < 0.5) rank++;
        const found = queryScores(
          Array.from({ length: 100 }, (_, at) => at === rank),
          1,
        );
        return RETRIEVAL.map((name) => found[name]);
      });
      const { interval } = comparison.certainty(outputs, all);
      const truths = { 'accuracy@1': 0.5, 'mrr@10': Math.log(2) };
      for (const name of ['accuracy@1', 'mrr@10'] as const) {
        const [low, high] = interval(name)!;
        if (low <= truths[name] && truths[name] <= high) covered[name]++;
      }
    }
    // 95 % of 200 samples, less three standard errors.
    for (const count of Object.values(covered)) expect(count / samples).toBeGreaterThan(0.9);
  });
});

it('ranks texts with equal cosines by id, as sentence-transformers does', () => {
  // Python compares ids as strings, so "10" is before "9".
  const rows = beirRows([
    setFile('corpus.jsonl', '{"_id": "9", "text": "a"}\n{"_id": "10", "text": "a"}'),
    setFile('queries.jsonl', '{"_id": "1", "text": "b"}'),
    setFile('qrels/test.tsv', '1\t10\t1'),
  ]);
  const vectors = new Map(['a', 'b'].map((text) => [text, Float32Array.of(1, 2)]));
  const comparison = new RowComparison(rows);
  const outputs = comparison.outputs([0], { queries: vectors, texts: vectors }, DENSE);
  expect(comparison.scores(outputs, [0])['accuracy@1']).toBe(1);
});

/** A file of a set in BEIR's format. */
function setFile(name: string, content: string) {
  return { name: `set/${name}`, size: content.length, read: () => content };
}
