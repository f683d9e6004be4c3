import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { cpu } from '../../tests/support/backends.ts';
import { peakMemory } from '../engine/graph/peak-memory.ts';
import { lower } from '../engine/onnx/lower.ts';
import { createSession } from '../engine/runtime/node/create-session.ts';
import { AdaLoraTuner } from '../methods/tuners/adalora/adalora-tuner.ts';
import { adaLoraConfigSchema } from '../methods/tuners/composed/pruned-triplets.ts';
import { everyParameter } from '../methods/tuners/full/definition.ts';
import { loraConfigSchema } from '../methods/tuners/lora/config.ts';
import { LoraTuner } from '../methods/tuners/lora/lora-tuner.ts';
import { METHODS } from '../methods/tuners/registry.ts';
import type { MaskSource } from '../models/nn/dropout.ts';
import { modelFamily } from '../models/registry.ts';
import { elementCount } from '../support/arrays.ts';
import { Random } from '../support/random.ts';
import type { BaseDtype } from './bases/base-dtype.ts';
import { baseFormat, type MatrixShape } from './bases/base-format.ts';
import { onBase } from './bases/with-base-dtype.ts';
import type { Engine } from './engine.ts';
import { labeledRows } from './objectives/labeled-rows.ts';
import { modelFeeds } from './objectives/model-inputs.ts';
import { classLoss, sequenceModel } from './objectives/sequence-loss.ts';
import type { TaskModel } from './objectives/task-model.ts';
import { tokenModel } from './objectives/token-model.ts';
import { Program } from './program.ts';
import { trainingGraph } from './training-graph.ts';

const [BATCH, LENGTH, TARGET] = [2, 9, 5];

/** Three layers with dropout everywhere. Their width is 64, so that rows fill whole blocks. */
const ENCODER = {
  vocab_size: 40,
  hidden_size: 64,
  num_hidden_layers: 3,
  num_attention_heads: 4,
  intermediate_size: 128,
  max_position_embeddings: 16,
  hidden_dropout_prob: 0.1,
  attention_probs_dropout_prob: 0.2,
};
const DECODER = { ...ENCODER, num_key_value_heads: 2, head_dim: 16, attention_dropout: 0.1, pad_token_id: 0 };

const CONFIGS = {
  bert: ENCODER,
  mpnet: ENCODER,
  albert: { ...ENCODER, embedding_size: 32 },
  modernbert: { ...ENCODER, local_attention: 4, attention_dropout: 0.1, mlp_dropout: 0.1, pad_token_id: 0 },
  distilbert: { vocab_size: 40, dim: 64, n_layers: 3, n_heads: 4, hidden_dim: 128 },
  'deberta-v2': {
    ...ENCODER,
    type_vocab_size: 0,
    relative_attention: true,
    pos_att_type: ['p2c', 'c2p'],
    share_att_key: true,
    position_buckets: 4,
    norm_rel_ebd: 'layer_norm',
    position_biased_input: false,
    conv_kernel_size: 3,
  },
  gpt2: { vocab_size: 40, n_embd: 64, n_layer: 3, n_head: 4, n_positions: 16 },
  llama: DECODER,
  qwen3: DECODER,
  phi3: { ...DECODER, resid_pdrop: 0.1 },
  gemma2: { ...DECODER, sliding_window: 4 },
  bart: {
    vocab_size: 40,
    d_model: 64,
    encoder_layers: 3,
    encoder_attention_heads: 4,
    encoder_ffn_dim: 128,
    decoder_layers: 2,
    decoder_attention_heads: 4,
    decoder_ffn_dim: 128,
    max_position_embeddings: 16,
    dropout: 0.1,
    attention_dropout: 0.1,
    activation_dropout: 0.1,
  },
};
type Family = keyof typeof CONFIGS;

const TUNERS = {
  full: everyParameter,
  lora: (model: TaskModel) => LoraTuner.create(model, loraConfigSchema.parse({ r: 2, lora_dropout: 0.1 })),
  adalora: (model: TaskModel) =>
    AdaLoraTuner.create(model, adaLoraConfigSchema.parse({ target_r: 2, init_r: 3, lora_dropout: 0.1 })),
  houlsby: (model: TaskModel) =>
    METHODS.houlsby.start(model, { bottleneck: 3, non_linearity: 'swish' }, 1).tuner,
  pfeiffer: (model: TaskModel) =>
    METHODS.pfeiffer.start(model, { bottleneck: 3, non_linearity: 'relu' }, 1).tuner,
};

type Method = keyof typeof TUNERS;

/**
 * @param wholeEncoder whether an encoder has a head that reads every token. Then its last layer is as large as the
 * others.
 */
function build(model_type: Family, fields: object = {}, wholeEncoder = false): TaskModel {
  const json = { model_type, ...CONFIGS[model_type], ...fields };
  const family = modelFamily(json, 'config.json');
  const config = family.parseConfig(json, 'config.json');
  if (model_type === 'bart') return tokenModel('SEQ_2_SEQ_LM')(family, config);
  if (family.isDecoder) return tokenModel('CAUSAL_LM')(family, config);
  return wholeEncoder ? tokenModel('TOKEN_CLS')(family, config) : sequenceModel(family, config, classLoss);
}

function feedsOf({ headKind }: TaskModel) {
  const ids = (length: number, seed: number) =>
    Int32Array.from({ length: BATCH * length }, (_, i) => 1 + ((seed * i * i + 3 * i) % 39));
  const feeds = modelFeeds({
    inputIds: ids(LENGTH, 7),
    attentionMask: Int32Array.from({ length: BATCH * LENGTH }, (_, i) => Number(i < 16)),
    tokenTypeIds: new Int32Array(BATCH * LENGTH),
    decoder: { inputIds: ids(TARGET, 5), length: TARGET },
    batch: BATCH,
    length: LENGTH,
  });
  if (headKind === 'SEQ_CLS') return { ...feeds, labels: { data: Int32Array.of(0, 1), dims: [2] } };
  const length = headKind === 'CAUSAL_LM' ? LENGTH : TARGET;
  return { ...feeds, ...labeledRows(ids(length, 11), BATCH, length, headKind === 'CAUSAL_LM') };
}

const known = new Map<string, Float32Array>();

/** Returns a model with random weights on a base of the given type. */
function withWeights(plain: TaskModel, dtype: BaseDtype) {
  const drawn = (name: string) => {
    const count = elementCount(plain.parameters.get(name) ?? plain.buffers.get(name) ?? []);
    const key = `${name} ${count}`;
    const values = known.get(key) ?? new Random(1, name).normals(count, 0.1);
    known.set(key, values);
    return values;
  };
  if (dtype === 'float32') return { model: plain, locate: (name: string) => ({ data: drawn(name) }) };
  const format = baseFormat(plain, dtype);
  const integers = new Map<string, Float32Array | Uint8Array>();
  for (const path of format.base.paths) {
    const name = `${path}.weight`;
    const weights = drawn(name);
    const shape = plain.parameters.get(name) as MatrixShape;
    const read = (start: number, end: number) => weights.subarray(start, end);
    for (const made of format.tensors(path, shape, read, new Float32Array(shape[1]).fill(3))) {
      const bytes = Uint8Array.from(Buffer.concat([...made.make()]));
      integers.set(made.name, made.dtype === 'F32' ? new Float32Array(bytes.buffer) : bytes);
    }
  }
  return {
    model: onBase(plain, format.base),
    locate: (name: string) => ({ data: integers.get(name) ?? drawn(name) }),
  };
}

/** Returns the loss and the gradient of one batch. */
async function differentiate(
  plain: TaskModel,
  method: Method,
  dtype: BaseDtype,
  gradientCheckpointing: boolean,
  { open = cpu.open, masks }: { open?: typeof cpu.open; masks?: MaskSource } = {},
) {
  const { model, locate } = withWeights(plain, dtype);
  const tuner = TUNERS[method](model);
  const engine: Engine = { masks, open: (outputs) => open(lower(outputs, { target: 'cpu', locate })) };
  const program = new Program(engine, model, tuner, { gradientCheckpointing });
  const values = new Random(2, 'values').normals(tuner.layout.length, 0.1);
  const { loss, gradient } = await program.differentiate(values, feedsOf(model), 0, 1);
  await program.release();
  return { loss, gradient: gradient.slice() };
}

const families = Object.keys(CONFIGS) as Family[];
/** Norms after and before a sublayer, on both sides of it, and a decoder that reads an encoder. */
const BLOCKS: readonly Family[] = ['bert', 'llama', 'gemma2', 'bart'];

it.each<[Family, Method, BaseDtype]>([
  ...families.map((family): [Family, Method, BaseDtype] => [family, 'adalora', 'float32']),
  ...families.map((family): [Family, Method, BaseDtype] => [family, 'full', 'float32']),
  // Bottlenecks are in the same places of every family: one model for each place of a layer's norm is enough.
  ...BLOCKS.flatMap((family): [Family, Method, BaseDtype][] => [
    [family, 'houlsby', 'float32'],
    [family, 'pfeiffer', 'float32'],
  ]),
  ['bert', 'lora', 'int8'],
  ['llama', 'lora', 'int8'],
  ['llama', 'lora', 'int4'],
])('%s, %s, %s: the same gradient to the last bit, wherever masks are cut', async (family, method, dtype) => {
  const program = build(family);
  const kept = await differentiate(program, method, dtype, false);
  const twice = await differentiate(program, method, dtype, true);
  expect(kept.gradient.some((slope) => slope !== 0)).toBe(true);
  expect(twice.loss).toBe(kept.loss);
  expect(Buffer.from(twice.gradient.buffer).equals(Buffer.from(kept.gradient.buffer))).toBe(true);
  // A model has its dropouts with every method, and AdaLoRA's in addition.
  if (method !== 'adalora') return;
  for (const checkpointing of [false, true]) {
    const { gradient } = await differentiate(program, method, dtype, checkpointing, { masks: 'graph' });
    expect(Buffer.from(gradient.buffer).equals(Buffer.from(kept.gradient.buffer))).toBe(true);
  }
});

it('the engine recomputes all layers but the last, when their gradients are due', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'adalora-'));
  const profiled = (model: Uint8Array) =>
    createSession(model, { device: 'cpu', threads: 1, profilePrefix: join(folder, 'profile') });
  await differentiate(build('bert'), 'lora', 'float32', true, { open: profiled });
  const [file] = readdirSync(folder);
  const events: { name: string }[] = JSON.parse(readFileSync(join(folder, file!), 'utf8'));
  rmSync(folder, { recursive: true });
  const kernels = events.flatMap(
    ({ name }) => name.match(/\/(Softmax|ReduceLogSumExp)_\d+_kernel_time$/)?.[1] ?? [],
  );
  expect(kernels).toEqual([
    ...['Softmax', 'Softmax', 'Softmax', 'ReduceLogSumExp'],
    // One Softmax is in the gradient of the loss, the other two are in the layers' attention.
    ...['Softmax', 'Softmax', 'Softmax'],
  ]);
});

describe('planned memory', () => {
  const SIZES = { batch: 16, sequence: 128, target: 128, labeled: 200 };
  const UNCOUNTED = { dropout_sites: 1, 'pool_0.1': 1, 'pool_0.2': 1 };
  const peak = (model: TaskModel, gradientCheckpointing: boolean) => {
    const { outputs } = trainingGraph(model.buildLoss, TUNERS.lora(model), { gradientCheckpointing });
    return peakMemory(Object.values(outputs), { ...SIZES, ...UNCOUNTED });
  };

  it.each(families)('of three layers of %s is a third lower', (family) => {
    const model = build(family, {}, true);
    expect(peak(model, true)).toBeLessThan((2 / 3) * peak(model, false));
  });

  it('of twelve layers is that of two plus a hidden state for each of the others', () => {
    const layers = (count: number, on: boolean) =>
      peak(build('bert', { num_hidden_layers: count }, true), on);
    // Besides the hidden state, a layer has its own trained values, flat or cut out.
    const hidden = 4 * 16 * 128 * ENCODER.hidden_size;
    expect(layers(12, true)).toBeLessThan(layers(2, true) + 10 * 1.1 * hidden);
    expect(layers(12, false)).toBeGreaterThan(4 * layers(12, true));
  });
});

it("has no layer's gradients wait for those of other layers", () => {
  const model = build('bert');
  const tuner = AdaLoraTuner.create(
    model,
    adaLoraConfigSchema.parse({ target_r: 2, init_r: 3, orth_reg_weight: 0 }),
  );
  const { gradient } = trainingGraph(model.buildLoss, tuner, { gradientCheckpointing: true }).outputs;
  // If the gradients were first joined to stacks, the engine would compute the stacks of all layers in sequence.
  expect(gradient!.node.op).toBe('concat');
  expect(gradient!.node.inputs).toHaveLength(tuner.layout.segments.length);
  expect(tuner.layout.stacks.length).toBeLessThan(tuner.layout.segments.length);
});
