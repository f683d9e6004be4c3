import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Tensors } from '../../src/engine/runtime/session.ts';
import type { StoredTensor } from '../../src/input/formats/tensor-data.ts';
import { randomBatch } from '../../src/input/text/batches.ts';
import { METHOD_NAMES, type MethodName, methodNamed } from '../../src/methods/tuners/registry.ts';
import type { HeadKind } from '../../src/models/heads/registry.ts';
import type { CommonConfig } from '../../src/models/model-definition.ts';
import type { BaseDtype } from '../../src/program/bases/base-dtype.ts';
import { withBaseDtype } from '../../src/program/bases/with-base-dtype.ts';
import { nodeEngine } from '../../src/program/node/node-engine.ts';
import { labeledRows } from '../../src/program/objectives/labeled-rows.ts';
import { modelFeeds } from '../../src/program/objectives/model-inputs.ts';
import { Program } from '../../src/program/program.ts';
import { startMethod } from '../../src/studies/jobs/set-up-run.ts';
import { elementCount } from '../../src/support/arrays.ts';
import { Random } from '../../src/support/random.ts';
import { UserError } from '../../src/support/user-error.ts';
import { models, openModel } from '../../src/use/trained/node/load-model.ts';
import { open } from '../../src/use/trained/node/open.ts';
import { methodConfig } from '../support/method-config.ts';
import { newFolder } from '../support/new-folder.ts';
import { openSafetensors, writeSafetensors } from '../support/safetensors-file.ts';
import { BUILDS, familiesAndHeads, writesText, writeTinyHead } from '../support/tiny-head.ts';

const root = newFolder();
vi.stubEnv('ADALORA_CACHE', join(root, 'cache'));
afterAll(() => {
  vi.unstubAllEnvs();
});

const BATCH = 3;
const LENGTH = 9;

/** The files of a batch. */
function contentFeeds({ content }: CommonConfig): Tensors {
  if (!content) return {};
  const dims = [BATCH, ...content.shape];
  return { [content.input]: { data: new Random(5, 'contract').normals(elementCount(dims), 1), dims } };
}

/** A batch for a head, with targets. */
function feedsFor(head: HeadKind, config: CommonConfig): Tensors {
  const batch = randomBatch(config.vocabSize, BATCH, LENGTH, 'contract');
  const vector = (data: number[]) => ({ data: Int32Array.from(data), dims: [BATCH] });
  const decoder = { inputIds: batch.inputIds, length: LENGTH };
  const inputs = {
    ...modelFeeds(head === 'SEQ_2_SEQ_LM' ? { ...batch, decoder } : batch),
    ...contentFeeds(config),
  };
  if (head === 'SEQ_CLS') return { ...inputs, labels: vector([0, 1, 2]) };
  if (head === 'QUESTION_ANS')
    return { ...inputs, start_positions: vector([1, 2, 3]), end_positions: vector([2, 3, 4]) };
  const labels = batch.inputIds.map((id) => (head === 'TOKEN_CLS' ? id % 3 : id));
  return { ...inputs, ...labeledRows(labels, BATCH, LENGTH, head === 'CAUSAL_LM') };
}

async function opened(family: string, head: HeadKind, dtype: BaseDtype, method: MethodName) {
  const folder = join(root, `${family}-${head}`);
  const model = await withBaseDtype(models.machine, await openModel(folder, BUILDS[head]), dtype);
  const { run } = startMethod(methodConfig(method), model, 40);
  const values = run.tuner.initialValues(3, model.reader(3));
  const program = new Program(nodeEngine(model, 'cpu'), model, run.tuner);
  return { model, values, program, feeds: feedsFor(head, model.config) };
}

async function logitsOf(family: string, head: HeadKind, dtype: BaseDtype): Promise<Float32Array> {
  const { model, values, program, feeds } = await opened(family, head, dtype, 'lora');
  const logits = (await program.predict(values, feeds)).slice();
  await program.release();
  model.close();
  return logits;
}

async function expectGradient(family: string, head: HeadKind, dtype: BaseDtype, method: MethodName) {
  const { model, values, program, feeds } = await opened(family, head, dtype, method);
  const { loss, gradient } = await program.differentiate(values, feeds, 0, 1);
  expect(Number.isFinite(loss)).toBe(true);
  expect(gradient.every(Number.isFinite)).toBe(true);
  expect(largest(gradient)).toBeGreaterThan(0);
  await program.release();
  model.close();
}

const norm = (values: Float32Array) => Math.hypot(...values);
const largest = (values: Float32Array) => values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);

/** Sizes of all families, by each family's names: rows of whole blocks. */
const SIZES = Object.fromEntries(
  [
    ...[
      'hidden_size',
      'embedding_size',
      'intermediate_size',
      'dim',
      'hidden_dim',
      'n_embd',
      'd_model',
      'd_ff',
    ],
    ...['encoder_ffn_dim', 'decoder_ffn_dim'],
  ].map((key) => [key, 64]),
);
/**
 * The random weights are large, which makes attention sharp: rounding then changes which token is attended to, and with it the
 * logits by up to 0.7 of their norm (T5). A quarter of them gives scores of the size that trained models have.
 */
const SMALLER = 1 / 4;
/** T5 does not divide scores by the root of the width of a head: its trained queries are that much smaller. */
const T5_QUERY = 12 ** -0.5;

/** Writes a model, once. */
function write(family: string, head: HeadKind): void {
  const folder = join(root, `${family}-${head}`);
  if (existsSync(folder)) return;
  writeTinyHead(folder, family, head, SIZES);
  const path = join(folder, 'model.safetensors');
  const file = openSafetensors(path);
  const tensors = file.names().map((name): [string, StoredTensor] => {
    const { dtype, shape } = file.info(name);
    const isLinear = shape.length === 2 && !/embed|shared/i.test(name);
    const scale = isLinear ? SMALLER * (name.includes('.q.') ? T5_QUERY : 1) : 1;
    const data = (file.read(name) as Float32Array).map((value) => scale * value);
    return [name, { dtype, shape, data }];
  });
  file.close();
  rmSync(path);
  writeSafetensors(path, new Map(tensors), { format: 'pt' });
}

const isFirst = (family: string, head: HeadKind) =>
  familiesAndHeads().find(([other]) => other === family)?.[1] === head;

const ROUNDED = ['int8', 'int4'] as const;
/**
 * The maximum change of logits by rounding, as a share of their norm. Unrelated logits differ by √2. The largest of 64 normal
 * weights is about 2.5 deviations: a step of int8 (127 to that) rounds by 0.6 % of a deviation, a step of int4 (7) by 10 %.
 * Ten to twenty products in a row add up to 2.7 % (0.4 to 2.7 were measured) and 33 % (4 to 33).
 */
const ROUNDING = { int8: 0.04, int4: 0.45 };
/** GPT-2's matrices are stored transposed. */
const REFUSED = ['gpt2'];

describe.each(familiesAndHeads())('%s with the head %s', (family, head) => {
  let plain: Float32Array;
  beforeAll(async () => {
    write(family, head);
    plain = await logitsOf(family, head, 'float32');
  });

  it.each(ROUNDED)('computes and trains over %s, or says why not', async (dtype) => {
    const attempt = logitsOf(family, head, dtype);
    if (REFUSED.includes(family)) return expect(attempt).rejects.toThrow(UserError);
    const logits = await attempt;
    const distance = norm(logits.map((value, i) => value - plain[i]!)) / norm(plain);
    expect(distance).toBeGreaterThan(0);
    expect(distance).toBeLessThan(ROUNDING[dtype]);
    // Whisper writes the texts of sounds.
    if (writesText(head) && family !== 'whisper') {
      const trained = await open(join(root, `${family}-${head}`), { baseDtype: dtype, generates: true });
      const { ids } = await trained.generate('the cat', { max_new_tokens: 3, min_new_tokens: 3 });
      expect(ids).toHaveLength(3);
      await trained.close();
    }
    // The base is the same under every head, so only one trains.
    if (isFirst(family, head)) await expectGradient(family, head, dtype, 'lora');
  });
});

/** Adapters, because a full model is not trained over integers. */
const ADAPTERS = METHOD_NAMES.filter((method) => methodNamed(method).trains === 'adapter');

describe.each(ADAPTERS)('method %s', (method) => {
  it.each<[string, HeadKind, BaseDtype]>([
    ['bert', 'SEQ_CLS', 'int8'],
    ['bart', 'SEQ_2_SEQ_LM', 'int8'],
    ['bart', 'SEQ_2_SEQ_LM', 'int4'],
    ['llama', 'CAUSAL_LM', 'int4'],
  ])('trains %s with the head %s over %s', async (family, head, dtype) => {
    write(family, head);
    const attempt = expectGradient(family, head, dtype, method);
    if (method === 'bitfit' && family === 'llama')
      return expect(attempt).rejects.toThrow('layers of llama have none');
    await attempt;
  });
});
