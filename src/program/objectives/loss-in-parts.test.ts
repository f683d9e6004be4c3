import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { describeIn } from '../../../tests/support/describe-in.ts';
import { relativeDistance } from '../../../tests/support/distance.ts';
import { methodConfig } from '../../../tests/support/method-config.ts';
import { familiesAndHeads, writeTinyHead } from '../../../tests/support/tiny-head.ts';
import { reachable } from '../../engine/graph/print.ts';
import { randomBatch } from '../../input/text/batches.ts';
import type { MethodName } from '../../methods/tuners/registry.ts';
import { startMethod } from '../../studies/jobs/start-method.ts';
import { openWeights } from '../../use/trained/node/load-model.ts';
import { nodeEngine } from '../node/node-engine.ts';
import { Program } from '../program.ts';
import { trainingGraph } from '../training-graph.ts';
import { IGNORED_LABEL, inParts, labelledRows } from './labelled-rows.ts';
import { modelFeeds } from './model-inputs.ts';
import type { LossFunction } from './own-loss.ts';
import { tokenModel } from './token-model.ts';

const root = mkdtempSync(join(tmpdir(), 'parts-'));
afterAll(() => rmSync(root, { recursive: true }));

const [BATCH, LENGTH] = [3, 9];
const IN_PARTS = { manyWords: 1, parts: 4 };
const wordHeads = familiesAndHeads().filter(([, head]) =>
  ['CAUSAL_LM', 'MASKED_LM', 'SEQ_2_SEQ_LM'].includes(head),
);

/** Loss and gradient of a batch, and the number of products with the vocabulary whose rows are normalized. */
async function computed(
  folder: string,
  head: (typeof wordHeads)[number][1],
  options: object,
  {
    method = 'lora',
    smoothing = 0,
    labels = 11,
    customLoss,
  }: { method?: MethodName; smoothing?: number; labels?: number; customLoss?: LossFunction },
) {
  const model = openWeights(folder, describeIn(folder, tokenModel(head, options)));
  const { tuner } = startMethod(methodConfig(method), model, 40).run;
  const values = tuner.initialValues(3, model.reader(3)).map((value, i) => value + 0.01 * Math.sin(i));
  const program = new Program(nodeEngine(model, 'cpu'), model, tuner, {
    labelSmoothing: smoothing,
    customLoss,
  });
  const batch = randomBatch(model.config.vocabSize, BATCH, LENGTH, 'parts');
  const inputs =
    head === 'SEQ_2_SEQ_LM' ? { ...batch, decoder: { inputIds: batch.inputIds, length: LENGTH } } : batch;
  const targets = batch.inputIds.map((id, i) =>
    i % LENGTH > 0 && (i * 7) % 24 < labels ? id : IGNORED_LABEL,
  );
  const feeds = { ...modelFeeds(inputs), ...labelledRows(targets, BATCH, LENGTH, head === 'CAUSAL_LM') };
  const { loss, gradient } = await program.differentiate(values, feeds, 0, 1);
  const evaluated = await program.loss(values, feeds);
  const nodes = reachable(Object.values(trainingGraph(model.buildLoss, tuner).outputs));
  const found = {
    loss,
    gradient: gradient.slice(),
    evaluated,
    parts: nodes.filter(({ op }) => op === 'logSumExp').length,
  };
  await program.release();
  model.close();
  return found;
}

/** The length of a difference, relative to the second gradient. NaN if that is zero. */
describe.each(wordHeads)('the loss of %s with %s', (family, head) => {
  const folder = join(root, `${family}-${head}`);
  writeTinyHead(folder, family, head);

  it.each([{}, { smoothing: 0.1, labels: 7 }, { labels: 1 }])(
    'is the same in parts with %j',
    async (settings) => {
      const whole = await computed(folder, head, {}, settings);
      const parts = await computed(folder, head, IN_PARTS, settings);
      // The layer before the words is trained in a masked language model.
      expect([whole.parts, parts.parts]).toEqual([1, head === 'MASKED_LM' ? 1 : IN_PARTS.parts]);
      // Sums of float32 numbers in another order.
      expect(parts.loss / whole.loss).toBeCloseTo(1, 5);
      expect(parts.evaluated / whole.evaluated).toBeCloseTo(1, 5);
      expect(Math.hypot(...whole.gradient)).toBeGreaterThan(0);
      expect(relativeDistance(parts.gradient, whole.gradient)).toBeLessThan(1e-5);
    },
  );
});

it('is replaced by a loss of the program', async () => {
  const folder = join(root, 'llama-CAUSAL_LM');
  const whole = await computed(folder, 'CAUSAL_LM', {}, {});
  const customLoss: LossFunction = (logits, labels, { crossEntropy, multiply }) =>
    multiply(crossEntropy(logits, labels), 2);
  const twice = await computed(folder, 'CAUSAL_LM', IN_PARTS, { customLoss });
  expect(twice.loss / whole.loss).toBeCloseTo(2, 5);
  expect(twice.evaluated / whole.evaluated).toBeCloseTo(1, 5);
  expect(
    relativeDistance(
      twice.gradient.map((slope) => slope / 2),
      whole.gradient,
    ),
  ).toBeLessThan(1e-5);
});

it('is computed at once if the words are trained', async () => {
  const folder = join(root, 'llama-CAUSAL_LM');
  const whole = await computed(folder, 'CAUSAL_LM', {}, { method: 'full' });
  const parts = await computed(folder, 'CAUSAL_LM', IN_PARTS, { method: 'full' });
  expect(parts.parts).toBe(1);
  expect(parts.loss / whole.loss).toBeCloseTo(1, 6);
  expect(relativeDistance(parts.gradient, whole.gradient)).toBeLessThan(1e-6);
});

it.each<MethodName>(['prompt_tuning', 'prefix_tuning'])('is the same in parts with %s', async (method) => {
  const folder = join(root, 'llama-CAUSAL_LM');
  const whole = await computed(folder, 'CAUSAL_LM', {}, { method });
  const parts = await computed(folder, 'CAUSAL_LM', IN_PARTS, { method });
  expect(parts.parts).toBe(IN_PARTS.parts);
  expect(parts.loss / whole.loss).toBeCloseTo(1, 5);
  expect(relativeDistance(parts.gradient, whole.gradient)).toBeLessThan(1e-5);
});

it('reads labels in parts of equal size', () => {
  const feeds = labelledRows(Int32Array.of(IGNORED_LABEL, 5, 6, 7, 8, 9), 1, 6, false);
  const { label_rows, labels } = inParts(feeds, 4);
  expect(label_rows).toEqual({ data: Int32Array.of(1, 2, 3, 4, 5, 5, 5, 5), dims: [4, 2] });
  expect(labels!.data).toEqual(Int32Array.of(5, 6, 7, 8, 9, IGNORED_LABEL, IGNORED_LABEL, IGNORED_LABEL));
  expect(inParts(feeds)).toBe(feeds);
});
