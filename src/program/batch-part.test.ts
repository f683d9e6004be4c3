import { expect, it } from 'vitest';
import { cpu } from '../../tests/support/backends.ts';
import { lower } from '../engine/onnx/lower.ts';
import { AdaLoraTuner } from '../methods/tuners/adalora/adalora-tuner.ts';
import { adaLoraConfigSchema } from '../methods/tuners/composed/pruned-triplets.ts';
import { modelFamily } from '../models/registry.ts';
import { elementCount } from '../support/arrays.ts';
import { Random } from '../support/random.ts';
import type { Engine } from './engine.ts';
import { labeledRows } from './objectives/labeled-rows.ts';
import { modelFeeds } from './objectives/model-inputs.ts';
import { classLoss, sequenceModel } from './objectives/sequence-loss.ts';
import { spanModel } from './objectives/span-model.ts';
import type { TaskModel } from './objectives/task-model.ts';
import { tokenModel } from './objectives/token-model.ts';
import { ALONE } from './parallel/communicator.ts';
import { Program } from './program.ts';

const [BATCH, LENGTH, TARGET] = [5, 7, 4];
const SHAPE = {
  vocab_size: 40,
  hidden_size: 16,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  intermediate_size: 24,
  max_position_embeddings: 16,
  hidden_dropout_prob: 0.1,
  attention_probs_dropout_prob: 0.1,
};
/** Every order in which a mask may be stored: token rows, attention weights, tables, pooled rows and labeled rows. */
const CASES = {
  'bert, classes of texts': { ...SHAPE, model: 'bert', head: 'SEQ_CLS' },
  'bert, classes of unlike weights': { ...SHAPE, model: 'bert', head: 'SEQ_CLS', classWeights: [1, 3, 0.5] },
  'deberta-v2, classes of texts': {
    ...SHAPE,
    model: 'deberta-v2',
    head: 'SEQ_CLS',
    type_vocab_size: 0,
    relative_attention: true,
    pos_att_type: ['p2c', 'c2p'],
    position_buckets: 4,
    conv_kernel_size: 3,
    pooler_dropout: 0.1,
  },
  'bert, classes of tokens': { ...SHAPE, model: 'bert', head: 'TOKEN_CLS' },
  'bert, answers': { ...SHAPE, model: 'bert', head: 'QUESTION_ANS' },
  'llama, next words': {
    ...SHAPE,
    model: 'llama',
    head: 'CAUSAL_LM',
    num_key_value_heads: 2,
    attention_dropout: 0.1,
    pad_token_id: 0,
  },
  'bart, words of another text': {
    model: 'bart',
    head: 'SEQ_2_SEQ_LM',
    vocab_size: 40,
    d_model: 16,
    encoder_layers: 1,
    encoder_attention_heads: 2,
    encoder_ffn_dim: 24,
    decoder_layers: 1,
    decoder_attention_heads: 2,
    decoder_ffn_dim: 24,
    max_position_embeddings: 16,
    dropout: 0.1,
    attention_dropout: 0.1,
    activation_dropout: 0.1,
  },
} as const;
type Case = keyof typeof CASES;
const [FIRST] = Object.keys(CASES);

function modelOf({ model, head, ...fields }: (typeof CASES)[Case]): TaskModel {
  const json = { ...fields, model_type: model };
  const family = modelFamily(json, 'config.json');
  const config = { ...family.parseConfig(json, 'config.json'), numLabels: 3 };
  if (head === 'SEQ_CLS') return sequenceModel(family, config, classLoss);
  if (head === 'QUESTION_ANS') return spanModel(family, config);
  return tokenModel(head)(family, config);
}

function feedsOf(head: string) {
  const ids = (length: number, seed: number) =>
    Int32Array.from({ length: BATCH * length }, (_, i) => 1 + ((seed * i * i + 3 * i) % 39));
  const feeds = modelFeeds({
    inputIds: ids(LENGTH, 7),
    attentionMask: Int32Array.from({ length: BATCH * LENGTH }, (_, i) => Number(i % LENGTH < 3 + (i % 3))),
    tokenTypeIds: new Int32Array(BATCH * LENGTH),
    decoder: { inputIds: ids(TARGET, 5), length: TARGET },
    batch: BATCH,
    length: LENGTH,
  });
  const vector = (values: number[]) => ({ data: Int32Array.from(values), dims: [values.length] });
  if (head === 'SEQ_CLS') return { ...feeds, labels: vector([0, 1, 2, 1, 0]) };
  if (head === 'QUESTION_ANS')
    return { ...feeds, start_positions: vector([1, 0, 2, 3, 1]), end_positions: vector([2, 2, 2, 4, 5]) };
  const length = head === 'SEQ_2_SEQ_LM' ? TARGET : LENGTH;
  const classes = head === 'TOKEN_CLS' ? 3 : 39;
  // The third example has no labels.
  const labels = Int32Array.from({ length: BATCH * length }, (_, i) =>
    Math.floor(i / length) === 2 || i % 3 === 0 ? -100 : (11 * i) % classes,
  );
  return { ...feeds, ...labeledRows(labels, BATCH, length, head === 'CAUSAL_LM') };
}

/** Returns the results of one process for its examples of a batch. */
async function differentiate(name: Case, rank: number, size: number) {
  const { classWeights, ...shape }: (typeof CASES)[Case] & { classWeights?: readonly number[] } = CASES[name];
  const model = modelOf(shape);
  const tuner = AdaLoraTuner.create(
    model,
    adaLoraConfigSchema.parse({ target_r: 2, init_r: 3, lora_dropout: 0.1 }),
  );
  const locate = (parameter: string) => {
    const shape = model.parameters.get(parameter) ?? model.buffers.get(parameter) ?? [];
    return { data: new Random(1, parameter).normals(elementCount(shape), 0.1) };
  };
  const engine: Engine = { open: (outputs) => cpu.open(lower(outputs, { target: 'cpu', locate })) };
  const program = new Program(engine, model, tuner, {
    classWeights,
    communicator: { ...ALONE, rank, size },
  });
  const values = new Random(2, 'values').normals(tuner.layout.length, 0.1);
  const { loss, gradient, share } = await program.differentiate(values, feedsOf(CASES[name].head), 0, 1);
  await program.release();
  return { loss, gradient: gradient.slice(), share };
}

it.each(Object.keys(CASES) as Case[])(
  '%s: the parts of a batch sum to the whole, with its masks',
  async (name) => {
    const whole = await differentiate(name, 0, 1);
    // With six processes, one of them gets no example.
    for (const size of name === FIRST ? [3, 6] : [3]) {
      const parts = await Promise.all(
        Array.from({ length: size }, (_, rank) => differentiate(name, rank, size)),
      );
      const sum = (value: (part: (typeof parts)[number]) => number) =>
        parts.reduce((total, part) => total + part.share * value(part), 0);
      expect(sum(() => 1)).toBeCloseTo(1, 12);
      // The parts sum the same float32 numbers in another order.
      expect(sum(({ loss }) => loss)).toBeCloseTo(whole.loss, 5);
      const scale = Math.max(...whole.gradient.map(Math.abs));
      const errors = whole.gradient.map(
        (slope, i) => Math.abs(slope - sum(({ gradient }) => gradient[i]!)) / scale,
      );
      expect(Math.max(...errors)).toBeLessThan(1e-5);
    }
  },
);
