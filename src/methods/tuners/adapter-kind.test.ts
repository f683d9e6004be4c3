import { expect, it } from 'vitest';
import { PEFT_PREFIX } from '../../input/formats/adapters/stored-adapter.ts';
import { bert } from '../../models/families/bert/definition.ts';
import { classLoss, sequenceModel } from '../../program/objectives/sequence-loss.ts';
import { headOutputs } from './adapter-kind.ts';

const model = sequenceModel(
  bert,
  bert.parseConfig({ model_type: 'bert', num_hidden_layers: 1 }, 'test'),
  classLoss,
);

it.each([
  ['classifier.weight', [3, 768], 3],
  ['classifier.bias', [5], 5],
  ['bert.encoder.layer.0.attention.self.query.bias', [768], undefined],
])('an adapter with %s %j has a head of %s outputs', (name, shape, outputs) => {
  const tensors = new Map([[PEFT_PREFIX + name, { shape, data: new Float32Array(0) }]]);
  expect(headOutputs(model, tensors)).toBe(outputs);
});
