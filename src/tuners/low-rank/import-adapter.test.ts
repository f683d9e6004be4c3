import { describe, expect, it } from 'vitest';
import { bert } from '../../models/bert/definition.ts';
import { sequenceModel } from '../../objectives/sequence-model.ts';
import { headOutputs } from '../stored/head-outputs.ts';
import type { PeftAdapter } from './export-adapter.ts';
import { importAdapter } from './import-adapter.ts';
import { type PeftAdapterConfigInput, parseAdapterConfig } from './peft-config.ts';

const modelConfig = bert.parseConfig(
  {
    model_type: 'bert',
    vocab_size: 8,
    hidden_size: 4,
    num_hidden_layers: 1,
    num_attention_heads: 2,
    intermediate_size: 6,
    max_position_embeddings: 8,
  },
  'test',
);
const model = sequenceModel(bert, modelConfig, 'single_label_classification');
const QUERY = 'bert.encoder.layer.0.attention.self.query';

function adapter(config: PeftAdapterConfigInput, shapes: Record<string, number[]>): PeftAdapter {
  const tensors = Object.entries(shapes).map(([name, shape], k) => {
    const data = Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => k + i / 8);
    return [`base_model.model.${name}`, { shape, data }] as const;
  });
  return { config: parseAdapterConfig(config, 'test'), tensors: new Map(tensors) };
}

const lora = (shapes: Record<string, number[]>, config: object = {}) =>
  adapter({ peft_type: 'LORA', r: 2, ...config }, shapes);
const adalora = (shapes: Record<string, number[]>) => adapter({ peft_type: 'ADALORA', init_r: 3 }, shapes);
const PAIR = { [`${QUERY}.lora_A.weight`]: [2, 4], [`${QUERY}.lora_B.weight`]: [4, 2] };
const TRIPLET = { [`${QUERY}.lora_A`]: [2, 4], [`${QUERY}.lora_E`]: [2, 1], [`${QUERY}.lora_B`]: [4, 2] };

describe('an imported adapter', () => {
  it('has the modules, ranks, values and scale of its tensors', () => {
    const head = { 'classifier.weight': [2, 4], 'classifier.bias': [2] };
    const { tuner, values } = importAdapter(model, adalora({ ...TRIPLET, ...head }), 'x');
    expect(tuner.modules).toMatchObject([{ path: QUERY, rank: 2, scale: 8 / (3 + 1e-5) }]);
    expect([...tuner.layout.read(values, `${QUERY}.lora_E`)]).toEqual([1, 1.125]);
    expect([...tuner.layout.read(values, 'classifier.bias')]).toEqual([4, 4.125]);
  });

  it('is the same with fan_in_fan_out, which PEFT sets to false for linear layers', () => {
    const plain = importAdapter(model, lora(PAIR), 'x');
    const turned = importAdapter(model, lora(PAIR, { fan_in_fan_out: true }), 'x');
    expect(turned.values).toEqual(plain.values);
    expect(turned.tuner.modules).toEqual(plain.tuner.modules);
  });

  it('takes the settings of its further training', () => {
    const { tuner } = importAdapter(model, adalora(TRIPLET), 'x', { orth_reg_weight: 0.25 });
    expect(tuner.regularizer?.weight).toBe(0.25);
  });

  it('may have the biases that PEFT repeats', () => {
    const repeated = { 'classifier.original_module.bias': [2] };
    expect(() => importAdapter(model, lora({ ...PAIR, ...repeated }, { bias: 'all' }), 'x')).not.toThrow();
    expect(() => importAdapter(model, lora({ ...PAIR, ...repeated }), 'x')).toThrow(
      'classifier.original_module.bias: expected such a tensor only where PEFT repeats biases',
    );
  });

  it.each<[string, PeftAdapter, string]>([
    [
      'B without A',
      lora({ [`${QUERY}.lora_B.weight`]: [4, 2] }),
      `x: ${QUERY}.lora_B: expected ${QUERY}.lora_A beside it`,
    ],
    [
      'A without B',
      lora({ [`${QUERY}.lora_A.weight`]: [2, 4] }),
      `x: ${QUERY}.lora_B: expected a tensor [4,2], got none`,
    ],
    [
      'E without A',
      adalora({ [`${QUERY}.lora_E`]: [2, 1] }),
      `x: ${QUERY}.lora_E: expected ${QUERY}.lora_A beside it`,
    ],
    [
      'a triplet without E',
      adalora({ ...TRIPLET, [`${QUERY}.lora_E`]: [2] }),
      'expected a tensor [2,1], got [2]',
    ],
    [
      'E in a LORA adapter',
      lora({ ...PAIR, [`${QUERY}.lora_E`]: [2, 1] }),
      'expected no such tensor in a LORA adapter',
    ],
    [
      'another width',
      lora({ ...PAIR, [`${QUERY}.lora_A.weight`]: [2, 5] }),
      'expected a tensor [2,4], got [2,5]',
    ],
    [
      'an enormous rank',
      lora({ ...PAIR, [`${QUERY}.lora_A.weight`]: [2 ** 50, 0] }),
      'got [1125899906842624,0]',
    ],
    ['another head', lora({ ...PAIR, 'classifier.weight': [3, 4] }), 'expected a tensor [2,4], got [3,4]'],
    ['another module', lora({ ...PAIR, 'bert.pool.bias': [4] }), 'expected a module of the base model'],
    [
      'an embedding',
      lora({ 'bert.embeddings.word_embeddings.lora_embedding_A': [2, 8] }),
      'expected a module of the',
    ],
  ])('with %s is refused', (_, peft, message) =>
    expect(() => importAdapter(model, peft, 'x')).toThrow(message),
  );
});

it('tells the outputs of its head by whatever parameter of it there is', () => {
  expect(headOutputs(model, lora({ ...PAIR, 'classifier.weight': [3, 4] }).tensors)).toBe(3);
  expect(headOutputs(model, lora({ ...PAIR, 'classifier.bias': [5] }).tensors)).toBe(5);
  expect(headOutputs(model, lora(PAIR).tensors)).toBeUndefined();
});
