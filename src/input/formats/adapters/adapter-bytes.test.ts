import { expect, it } from 'vitest';
import { encodeSafetensors } from '../encode-safetensors.ts';
import type { StoredTensor } from '../tensor-data.ts';
import { ADAPTER_METADATA, adapterSize } from './adapter-bytes.ts';

it.each([
  { tensors: [] },
  { tensors: [[['base_model.model.a.lora_A'], [3, 7]]] },
  {
    tensors: [
      [['base_model.model.b'], [1000, 10]],
      [['base_model.model.a é'], [0, 5]],
      [['c'], [2]],
    ],
  },
] as { tensors: [string[], number[]][] }[])('is the size of the file: $tensors', ({ tensors }) => {
  const size = adapterSize(['left out', ...tensors.map(([[name]]) => name!)]);
  const stored = tensors.map(([[name], shape]): [string, StoredTensor] => [
    name!,
    { dtype: 'F32', shape, data: new Float32Array(shape.reduce((a, b) => a * b, 1)) },
  ]);
  const chunks = encodeSafetensors(new Map(stored), ADAPTER_METADATA);
  expect(size((i) => tensors[i - 1]?.[1])).toBe(chunks.reduce((sum, { length }) => sum + length, 0));
});
