import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { newFolder } from '../../../../tests/support/new-folder.ts';
import { openForTask } from '../../../../tests/support/open-for-task.ts';
import { PADDED_TEXTS } from '../../../../tests/support/plain-texts.ts';
import { TINY_CONFIG, writeTinyModel } from '../../../../tests/support/tiny-model.ts';
import type { Tensors } from '../../../engine/runtime/session.ts';
import { collate } from '../../../input/text/batches.ts';
import { AdaLoraTuner } from '../../../methods/tuners/adalora/adalora-tuner.ts';
import { type PackedAdapter, packAdapter } from '../../../methods/tuners/bank/packed-adapter.ts';
import { adaLoraConfigSchema } from '../../../methods/tuners/composed/pruned-triplets.ts';
import { loraConfigSchema } from '../../../methods/tuners/lora/config.ts';
import { LoraTuner } from '../../../methods/tuners/lora/lora-tuner.ts';
import { METHODS } from '../../../methods/tuners/registry.ts';
import type { TunedValues, Tuner } from '../../../methods/tuners/tuner.ts';
import type { HeadKind } from '../../../models/heads/registry.ts';
import { withBaseDtype } from '../../../program/bases/with-base-dtype.ts';
import { nodeEngine } from '../../../program/node/node-engine.ts';
import { modelFeeds } from '../../../program/objectives/model-inputs.ts';
import { Program } from '../../../program/program.ts';
import type { LoadedModel } from '../../../program/weight-memory.ts';
import { Random } from '../../../support/random.ts';
import type { TaskName } from '../../../tasks/registry.ts';
import { models } from '../../trained/node/load-model.ts';
import { EMPTY_SHAPE, withRoom } from '../bank/bank-shape.ts';
import { MixedRows, type RowAdapter, rowLogits } from './mixed-rows.ts';

const folder = newFolder();
beforeAll(() => writeTinyModel(folder));

/**
 * Sums of float32 products change their order if a batch is padded differently or the scale is part of a factor. Each
 * of about ten consecutive products of numbers near 1 then differs by a few units in the last place.
 */
const ROUNDING = 2e-5;

const MAX_LABELS = 5;
const TASKS: TaskName[] = ['single_label_classification', 'token_classification', 'question_answering'];

interface Own extends TunedValues, RowAdapter {
  model: LoadedModel;
  packed: PackedAdapter;
}

/** Makes a tuner for adapter number i. */
type MakeTuner = (model: LoadedModel, i: number) => Tuner;

const targets = (i: number) => (i % 2 === 0 ? ['query', 'value'] : ['query', 'key', 'dense']);
const lora: MakeTuner = (model, i) =>
  LoraTuner.create(
    model,
    loraConfigSchema.parse({
      r: 1 + i,
      lora_alpha: 3,
      target_modules: targets(i),
      bias: i > 3 ? 'all' : 'none',
    }),
  );
const adalora: MakeTuner = (model, i) =>
  AdaLoraTuner.create(
    model,
    adaLoraConfigSchema.parse({ target_r: 1, init_r: 1 + i, target_modules: targets(i) }),
  );
const bitfit: MakeTuner = (model) => METHODS.bitfit.start(model, {}, 1).tuner;
const ia3: MakeTuner = (model) => METHODS.ia3.start(model, METHODS.ia3.config.parse({}), 1).tuner;
const bottleneck =
  (method: 'houlsby' | 'pfeiffer', non_linearity: string): MakeTuner =>
  (model, i) => {
    const { config, start } = METHODS[method];
    return start(model, config.parse({ bottleneck: 1 + i, non_linearity }), 1).tuner;
  };
const MAKERS = [
  ...[lora, adalora, bitfit, bottleneck('houlsby', 'relu'), lora],
  ...[bottleneck('pfeiffer', 'gelu'), adalora, bottleneck('pfeiffer', 'relu')],
  ia3,
];

/** Adapters of different methods, ranks, modules and numbers of labels. */
function makeAdapters(task: TaskName, base = folder, makers = MAKERS): Own[] {
  return makers.map((make, i) => {
    const model = openForTask(base, task, task === 'question_answering' ? 2 : 2 + (i % (MAX_LABELS - 1)));
    const tuner = make(model, i);
    const values = new Random(i, 'adapter').normals(tuner.layout.length, 0.3);
    const packed = packAdapter(model, { tuner, values }, 'test');
    return { model, tuner, values, packed, outputs: model.config.numLabels };
  });
}

const openMixed = async (all: readonly Own[], model: LoadedModel, slots = 4) => {
  const shape = all.reduce((shape, { packed }) => withRoom(shape, packed), EMPTY_SHAPE);
  const limits = { maxRows: 16, maxTokens: 512, maxWait: 1, maxQueued: 100 };
  return MixedRows.open(nodeEngine(model, 'cpu'), model, shape, {
    ...limits,
    slots,
    batches: PADDED_TEXTS,
  });
};

/** Rows of random tokens, as one batch. */
function randomRows(random: Random, count: number) {
  const encodings = Array.from({ length: count }, () => {
    const length = 1 + random.integer(20);
    const inputIds = Int32Array.from({ length }, () => 1 + random.integer(TINY_CONFIG.vocab_size - 1));
    return { inputIds, tokenTypeIds: new Int32Array(length), truncated: false };
  });
  return modelFeeds(collate(encodings, 0));
}

/** The largest difference between the logits of rows, without padding. */
function furthest(kind: HeadKind, feeds: Tensors, outputs: number, a: Float32Array, b: Float32Array): number {
  expect(a.length).toBe(b.length);
  const [length, batch] = feeds.input_ids!.dims as [number, number];
  const mask = feeds.attention_mask!.data as Int32Array;
  const differences = Array.from({ length: batch }, (_, row) => {
    const own = { length: mask.subarray(row * length, (row + 1) * length).filter(Boolean).length, outputs };
    const [x, y] = [a, b].map((logits) =>
      rowLogits(kind, logits, { row, batch }, { length, outputs }, own),
    ) as [Float32Array, Float32Array];
    return x.map((value, i) => Math.abs(value - y[i]!));
  });
  return Math.max(...differences.flatMap((row) => [...row]));
}

/** Checks that rows in mixed batches get the results of their own adapter, and not those of another adapter. */
async function checkMixtures(task: TaskName, base = folder, makers = MAKERS): Promise<void> {
  const all = makeAdapters(task, base, makers);
  const model = openForTask(base, task, task === 'question_answering' ? 2 : MAX_LABELS);
  const mixed = await openMixed(all, model);
  const random = new Random(1, 'mixtures');
  const asked = Array.from({ length: 40 }, () => ({
    own: all[random.integer(all.length)],
    feeds: randomRows(random, 1 + random.integer(3)),
  }));
  const answers = await Promise.all(
    asked.map(({ own, feeds }) => mixed.predictor(own!, own!.packed).predict(own!.values, feeds)),
  );
  const programs = new Map(
    all.map((own) => [own, new Program(nodeEngine(own.model, 'cpu'), own.model, own.tuner)]),
  );
  for (const [i, { own, feeds }] of asked.entries()) {
    const alone = await programs.get(own!)!.predict(own!.values, feeds);
    const other = all[(all.indexOf(own!) + 3) % all.length]!;
    const kind = own!.model.headKind;
    expect(furthest(kind, feeds, own!.outputs, answers[i]!, alone)).toBeLessThan(ROUNDING);
    if (other.outputs === own!.outputs) {
      const wrong = await programs.get(other)!.predict(other.values, feeds);
      expect(furthest(kind, feeds, own!.outputs, answers[i]!, wrong)).toBeGreaterThan(100 * ROUNDING);
    }
  }
  for (const program of programs.values()) await program.release();
  await mixed.release();
  for (const { model } of all) model.close();
  model.close();
}

describe('every row gets the same result as with its adapter alone, in batches with more adapters than slots', () => {
  it.each(TASKS)('%s', (task) => checkMixtures(task));

  it.each([true, false])(
    'also with relative positions projected by the same matrices: %s',
    async (shared) => {
      const base = join(folder, `deberta ${shared}`);
      const relative = { relative_attention: true, position_buckets: 8, max_relative_positions: 16 };
      const attention = { pos_att_type: 'c2p|p2c', share_att_key: shared, position_biased_input: false };
      writeTinyModel(base, { model_type: 'deberta-v2', ...relative, ...attention });
      const positions: MakeTuner = (model, i) => {
        const target_modules = ['query_proj', 'value_proj', shared ? 'key_proj' : 'pos_key_proj'];
        return LoraTuner.create(model, loraConfigSchema.parse({ r: 1 + i, target_modules }));
      };
      await checkMixtures('single_label_classification', base, [
        positions,
        bitfit,
        positions,
        MAKERS[3]!,
        ia3,
      ]);
    },
  );
});

/**
 * Activations are rounded to steps of 1/127 of a row's largest number. A value that is rounded the other way differs by
 * one step.
 */
const INT8_ROUNDING = 2e-2;

it('with an int8 base, rows do not depend on others either', async () => {
  const cacheFolder = join(folder, 'cache');
  const all = makeAdapters('single_label_classification');
  const plain = openForTask(folder, 'single_label_classification', MAX_LABELS);
  const model = await withBaseDtype(models.machine, plain, 'int8', { cacheFolder });
  const mixed = await openMixed(all, model);
  const random = new Random(2, 'mixtures');
  const asked = Array.from({ length: 24 }, (_, i) => ({
    own: all[i % all.length]!,
    feeds: randomRows(random, 1),
  }));
  const ask = ({ own, feeds }: (typeof asked)[number]) =>
    mixed.predictor(own, own.packed).predict(own.values, feeds);
  const together = await Promise.all(asked.map(ask));
  for (const [i, one] of asked.entries()) {
    const alone = await ask(one);
    expect(furthest('SEQ_CLS', one.feeds, one.own.outputs, together[i]!, alone)).toBeLessThan(INT8_ROUNDING);
  }
  await mixed.release();
  for (const { model } of all) model.close();
  model.close();
});
