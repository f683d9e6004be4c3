import { describe, expect, it } from 'vitest';
import type { AdapterTensors } from '../../../input/formats/adapters/stored-adapter.ts';
import type { HeadKind } from '../../../models/heads/registry.ts';
import { modelFamily } from '../../../models/registry.ts';
import { plainModel } from '../../../program/objectives/plain-model.ts';
import { findKind, METHODS } from '../registry.ts';
import type { TunableModel } from '../tuner.ts';
import { unknownModule } from './described-adapter.ts';

const WORDS = 'model.embed_tokens.weight';
const model = {
  parameters: new Map([[WORDS, [2, 1]]]),
  head: { modules: [], mayLack: ['lm_head'] },
  definition: { tiedNames: { [WORDS]: ['lm_head.weight'] } },
  wordTables: new Map([[WORDS, 1]]),
} as unknown as TunableModel;

it.each([
  ['lm_head', 'a: lm_head is the same parameter as model.embed_tokens.weight in the base model'],
  ['model.embed_tokens.lora_embedding_A', 'a: model.embed_tokens is not a linear layer'],
  ['model.layers.9.q', 'a: model.layers.9.q is not a module of the base model'],
])('unknownModule reports %s', (name, message) => {
  expect(unknownModule(model, name, [], 'a').message).toContain(message);
});

const SHAPE = {
  vocab_size: 8,
  hidden_size: 4,
  num_hidden_layers: 1,
  num_attention_heads: 2,
  intermediate_size: 6,
  max_position_embeddings: 8,
  rotary_pct: 1,
};

function modelOf(model_type: string, head: HeadKind) {
  const json = { model_type, ...SHAPE };
  const definition = modelFamily(json, 'test');
  return plainModel(head, 0)(definition, definition.parseConfig(json, 'test'));
}

function imported(model: ReturnType<typeof modelOf>, config: object, tensors: Record<string, number[]>) {
  const stored = Object.entries(tensors).map(([name, shape]) => {
    const data = new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(0.5);
    return [name, { shape, data }] as const;
  });
  const adapter = { config: { ...config }, tensors: new Map(stored) as AdapterTensors, baseModel: null };
  return findKind(adapter, 'x').import(model, adapter, 'x').tuner;
}

const lora = (path: string, features: number[]) => ({
  [`base_model.model.${path}.lora_A.weight`]: [2, features[1]!],
  [`base_model.model.${path}.lora_B.weight`]: [features[0]!, 2],
});
const LORA = { peft_type: 'LORA', r: 2, target_modules: ['lm_head'] };
const pathsOf = ({ sites }: ReturnType<typeof imported>) => sites.map(({ path }) => path);

describe("GPT-NeoX's output layer", () => {
  const model = modelOf('gpt_neox', 'CAUSAL_LM');

  it.each(['lm_head', 'embed_out'])('is lm_head, also in an adapter that says %s', (name) => {
    expect(pathsOf(imported(model, LORA, lora(name, [8, 4])))).toEqual(['lm_head']);
  });

  it('is named lm_head in adapters, as in transformers 5 and PEFT', () => {
    const { lora: method } = METHODS;
    const run = method.start(model, method.config.parse({ r: 2, target_modules: ['lm_head'] }), 1);
    const { tensors } = run.store!(new Float32Array(run.tuner.layout.length), 'base', []);
    expect([...tensors.keys()].sort()).toEqual(Object.keys(lora('lm_head', [8, 4])).sort());
  });
});

it("PEFT's copy of the output weights is read in every kind of adapter", () => {
  const model = modelOf('gpt_neox', 'CAUSAL_LM');
  const copy = { 'base_model.model.lm_head.base_layer.weight': [8, 4] };
  const config = { peft_type: 'IA3', target_modules: ['lm_head'], feedforward_modules: [] };
  const factor = { 'base_model.model.lm_head.ia3_l': [8, 1] };
  expect(pathsOf(imported(model, config, { ...factor, ...copy }))).toEqual(['lm_head']);
  expect(pathsOf(imported(model, LORA, { ...lora('lm_head', [8, 4]), ...copy }))).toEqual(['lm_head']);
});

it('tensors of a pooler that nothing reads are left out', () => {
  const query = 'encoder.layer.0.attention.self.query';
  const tensors = { ...lora(query, [4, 4]), ...lora('pooler.dense', [4, 4]) };
  const config = { ...LORA, target_modules: 'all-linear' };
  expect(pathsOf(imported(modelOf('bert', 'FEATURE_EXTRACTION'), config, tensors))).toEqual([query]);
});
