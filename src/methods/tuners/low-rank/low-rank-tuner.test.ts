import { expect, it } from 'vitest';
import { AdaLoraTuner } from '../adalora/adalora-tuner.ts';
import { type AdaLoraConfig, adaLoraConfigSchema } from '../composed/pruned-triplets.ts';
import { mergedReader } from './low-rank-tuner.ts';

const [inFeatures, outFeatures, rank, scale] = [3, 4, 2, 0.5];
const config: AdaLoraConfig = adaLoraConfigSchema.parse({});
const tuner = new AdaLoraTuner(
  config,
  [{ path: 'layer', inFeatures, outFeatures, rank, scale }],
  [{ name: 'head.weight', shape: [2] }],
);
const values = Float32Array.from({ length: tuner.layout.length }, (_, i) => Math.sin(i));
const base = Float32Array.from({ length: inFeatures * outFeatures }, (_, i) => i);
const read = mergedReader(tuner.factored(values), (_name, start, end) => base.slice(start, end));

it.each([
  ['[out, in]', false],
  ['[in, out]', true],
])('adds s P diag(λ) Q to an adapted weight %s, in any range', (_, transposed) => {
  const modules = tuner.modules.map((module) => ({ ...module, transposed }));
  const turned = new AdaLoraTuner(config, modules, tuner.saved);
  const read = mergedReader(turned.factored(values), (_name, start, end) => base.slice(start, end));
  const width = transposed ? outFeatures : inFeatures;
  const of = (name: string) => tuner.layout.read(values, `layer.${name}`);
  const merged = Float32Array.from(base, (w, i) => {
    const place = [Math.floor(i / width), i % width];
    const [row, column] = (transposed ? place.reverse() : place) as [number, number];
    for (let k = 0; k < rank; k++) {
      w += scale * of('lora_B')[row * rank + k]! * of('lora_E')[k]! * of('lora_A')[k * inFeatures + column]!;
    }
    return w;
  });
  for (let start = 0; start < base.length; start++)
    for (let end = start + 1; end <= base.length; end++) {
      const part = read('layer.weight', start, end);
      expect(part.length).toBe(end - start);
      part.forEach((value, i) => expect(value).toBeCloseTo(merged[start + i]!, 6));
    }
});

it("returns the trained parameter if there is one, otherwise the base model's", () => {
  expect(read('head.weight', 0, 2)).toEqual(tuner.layout.read(values, 'head.weight'));
  expect(read('layer.bias', 1, 3)).toEqual(base.slice(1, 3));
});
