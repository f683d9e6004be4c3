import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { describeIn } from '../../../tests/support/describe-in.ts';
import { relativeDistance } from '../../../tests/support/distance.ts';
import { methodConfig } from '../../../tests/support/method-config.ts';
import { newFolder } from '../../../tests/support/new-folder.ts';
import { familiesAndHeads, writeTinyHead } from '../../../tests/support/tiny-head.ts';
import { reachable } from '../../engine/graph/print.ts';
import { randomBatch } from '../../input/text/batches.ts';
import type { MethodName } from '../../methods/tuners/registry.ts';
import { startMethod } from '../../studies/jobs/set-up-run.ts';
import { openWeights } from '../../use/trained/node/load-model.ts';
import { nodeEngine } from '../node/node-engine.ts';
import { Program } from '../program.ts';
import { trainingGraph } from '../training-graph.ts';
import { IGNORED_LABEL, inParts, labeledRows } from './labeled-rows.ts';
import { modelFeeds } from './model-inputs.ts';
import type { LossFunction } from './own-loss.ts';
import { tokenModel } from './token-model.ts';

const root = newFolder();

const [BATCH, LENGTH] = [3, 9];
const IN_PARTS = { manyWords: 1, parts: 4 };
const wordHeads = familiesAndHeads().filter(([, head]) =>
  ['CAUSAL_LM', 'MASKED_LM', 'SEQ_2_SEQ_LM'].includes(head),
);

type Head = (typeof wordHeads)[number][1];
interface Settings {
  method?: MethodName;
  smoothing?: number;
  customLoss?: LossFunction;
}

/** A program whose loss is computed as the options say. */
function opened(
  folder: string,
  head: Head,
  options: object,
  { method = 'lora', smoothing, customLoss }: Settings = {},
) {
  const model = openWeights(folder, describeIn(folder, tokenModel(head, options)));
  const { tuner } = startMethod(methodConfig(method), model, 40).run;
  const values = tuner.initialValues(3, model.reader(3)).map((value, i) => value + 0.01 * Math.sin(i));
  const program = new Program(nodeEngine(model, 'cpu'), model, tuner, {
    labelSmoothing: smoothing,
    customLoss,
  });
  const feedsOf = (labels: number) => {
    const batch = randomBatch(model.config.vocabSize, BATCH, LENGTH, 'parts');
    const inputs =
      head === 'SEQ_2_SEQ_LM' ? { ...batch, decoder: { inputIds: batch.inputIds, length: LENGTH } } : batch;
    const targets = batch.inputIds.map((id, i) =>
      i % LENGTH > 0 && (i * 7) % 24 < labels ? id : IGNORED_LABEL,
    );
    const { input = '', shape = [] } = model.config.content ?? {};
    const dims = [BATCH, ...shape];
    const heard = Float32Array.from({ length: dims.reduce((a, b) => a * b) }, (_, i) => Math.sin(i));
    return {
      ...modelFeeds(inputs),
      ...(input && { [input]: { data: heard, dims } }),
      ...labeledRows(targets, BATCH, LENGTH, head === 'CAUSAL_LM'),
    };
  };
  return {
    /** The number of products with the vocabulary whose rows are normalized. */
    parts: reachable(Object.values(trainingGraph(model.buildLoss, tuner).outputs)).filter(
      ({ op }) => op === 'logSumExp',
    ).length,
    async differentiate(labels = 11) {
      const { loss, gradient } = await program.differentiate(values, feedsOf(labels), 0, 1);
      return { loss, gradient: gradient.slice() };
    },
    evaluate: (labels = 11) => program.loss(values, feedsOf(labels)),
    async [Symbol.asyncDispose]() {
      await program.release();
      model.close();
    },
  };
}

type Opened = ReturnType<typeof opened>;

/**
 * Expects a loss and a gradient that are `times` as large. `digits` are the equal ones: the sums of float32 numbers are
 * in another order.
 */
async function expectSame(
  other: Opened,
  whole: Opened,
  { labels, times = 1, digits = 5 }: { labels?: number; times?: number; digits?: number } = {},
): Promise<void> {
  const [found, expected] = [await other.differentiate(labels), await whole.differentiate(labels)];
  expect(found.loss / expected.loss / times).toBeCloseTo(1, digits);
  expect(Math.hypot(...expected.gradient)).toBeGreaterThan(0);
  const gradient = found.gradient.map((slope) => slope / times);
  expect(relativeDistance(gradient, expected.gradient)).toBeLessThan(10 ** -digits);
}

/** Expects the same loss of evaluations, which no setting changes. */
async function expectSameEvaluation(other: Opened, whole: Opened, labels?: number): Promise<void> {
  expect((await other.evaluate(labels)) / (await whole.evaluate(labels))).toBeCloseTo(1, 5);
}

describe.each(wordHeads)('the loss of %s with %s', (family, head) => {
  const folder = join(root, `${family}-${head}`);
  writeTinyHead(folder, family, head);

  it('is the same in parts, for many labels and for one', async () => {
    await using whole = opened(folder, head, {});
    await using parts = opened(folder, head, IN_PARTS);
    // The layer before the words is trained in a masked language model.
    expect([whole.parts, parts.parts]).toEqual([1, head === 'MASKED_LM' ? 1 : IN_PARTS.parts]);
    for (const labels of [11, 1]) {
      await expectSame(parts, whole, { labels });
      await expectSameEvaluation(parts, whole, labels);
    }
  });

  // Smoothing belongs to the loss, so one family for each head is enough.
  if (!['bert', 'llama', 'bart'].includes(family)) return;
  it('is the same in parts if labels are smoothed', async () => {
    await using whole = opened(folder, head, {}, { smoothing: 0.1 });
    await using parts = opened(folder, head, IN_PARTS, { smoothing: 0.1 });
    await expectSame(parts, whole, { labels: 7 });
  });
});

const llama = join(root, 'llama-CAUSAL_LM');

it('is replaced by a loss of the program', async () => {
  const customLoss: LossFunction = (logits, labels, { crossEntropy, multiply }) =>
    multiply(crossEntropy(logits, labels), 2);
  await using whole = opened(llama, 'CAUSAL_LM', {});
  await using twice = opened(llama, 'CAUSAL_LM', IN_PARTS, { customLoss });
  await expectSame(twice, whole, { times: 2 });
  await expectSameEvaluation(twice, whole);
});

it('is computed at once if the words are trained', async () => {
  await using whole = opened(llama, 'CAUSAL_LM', {}, { method: 'full' });
  await using parts = opened(llama, 'CAUSAL_LM', IN_PARTS, { method: 'full' });
  expect(parts.parts).toBe(1);
  await expectSame(parts, whole, { digits: 6 });
});

it('reads labels in parts of equal size', () => {
  const feeds = labeledRows(Int32Array.of(IGNORED_LABEL, 5, 6, 7, 8, 9), 1, 6, false);
  const { label_rows, labels } = inParts(feeds, 4);
  expect(label_rows).toEqual({ data: Int32Array.of(1, 2, 3, 4, 5, 5, 5, 5), dims: [4, 2] });
  expect(labels!.data).toEqual(Int32Array.of(5, 6, 7, 8, 9, IGNORED_LABEL, IGNORED_LABEL, IGNORED_LABEL));
  expect(inParts(feeds)).toBe(feeds);
});
