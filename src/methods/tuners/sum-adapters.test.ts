import { expect, it } from 'vitest';
import type { AdapterTensor, StoredAdapter } from '../../input/formats/adapters/stored-adapter.ts';
import { Random } from '../../support/random.ts';
import { findKind } from './registry.ts';
import { sumAdapters } from './sum-adapters.ts';

const [OUT, IN] = [7, 5];

function adapter(seed: number, r: number, alpha: number, paths: readonly string[]): StoredAdapter {
  const tensors = paths.flatMap((path): [string, AdapterTensor][] => {
    const factor = (name: string, shape: number[]): [string, AdapterTensor] => [
      `base_model.model.${path}.${name}.weight`,
      { shape, data: new Random(seed, `${path}.${name}`).normals(shape[0]! * shape[1]!, 1) },
    ];
    return [factor('lora_A', [r, IN]), factor('lora_B', [OUT, r])];
  });
  const head: [string, AdapterTensor] = [
    'base_model.model.classifier.weight',
    { shape: [2, 2], data: Float32Array.of(seed, 0, 1, seed) },
  ];
  const config = {
    ...{ peft_type: 'LORA', task_type: 'SEQ_CLS', base_model_name_or_path: 'base' },
    ...{ r, lora_alpha: alpha, target_modules: [...paths], modules_to_save: ['classifier'] },
  };
  return { config, tensors: new Map([...tensors, head]), baseModel: 'base' };
}

/** The increment of a module's weight. */
function increment(stored: StoredAdapter, path: string): number[] {
  const own = new Map([...stored.tensors].filter(([key]) => !key.includes('classifier')));
  const product = findKind(stored, 'a').increments!({ ...stored, tensors: own }, 'a').modules.get(path);
  if (!product) return new Array(OUT * IN).fill(0);
  const { A, B } = product;
  const rank = A.shape[0]!;
  return Array.from({ length: OUT * IN }, (_, i) => {
    const [row, column] = [Math.floor(i / IN), i % IN];
    return Array.from({ length: rank }, (_, k) => B.data[row * rank + k]! * A.data[k * IN + column]!).reduce(
      (a, b) => a + b,
      0,
    );
  });
}

const norm = (values: readonly number[]) => Math.hypot(...values);
const a = adapter(1, 2, 6, ['l.q', 'l.v']);
const b = adapter(2, 1, 4, ['l.v', 'l.k']);
const both = [
  { stored: a, weight: 0.75, where: 'a' },
  { stored: b, weight: -2, where: 'b' },
];
const expected = (path: string) =>
  increment(a, path).map((value, i) => 0.75 * value - 2 * increment(b, path)[i]!);

it('sums adapters with other ranks, scales and modules exactly, and their heads', () => {
  const sum = sumAdapters(both);
  expect(sum.config).toMatchObject({ r: 3, target_modules: ['l.q', 'l.v', 'l.k'] });
  for (const path of ['l.q', 'l.v', 'l.k']) {
    const distance = increment(sum, path).map((value, i) => value - expected(path)[i]!);
    // Factors are rounded to float32 once more.
    expect(norm(distance)).toBeLessThan(1e-6 * norm(expected(path)));
  }
  expect([...sum.tensors.get('base_model.model.classifier.weight')!.data]).toEqual([-3.25, 0, -1.25, -3.25]);
});

it('reduces a sum to the closest matrix of a rank', () => {
  const reduced = sumAdapters(both, 2);
  expect(reduced.config).toMatchObject({ r: 2 });
  const whole = expected('l.v');
  const distance = norm(increment(reduced, 'l.v').map((value, i) => value - whole[i]!));
  // Moving the result in any direction of its factors makes it worse, and dropping an adapter is much worse.
  expect(distance).toBeGreaterThan(0.01 * norm(whole));
  for (const dropped of [a, b]) {
    const weight = dropped === a ? 0.75 : 2;
    expect(distance).toBeLessThan(weight * norm(increment(dropped, 'l.v')));
  }
  const moved = structuredClone(reduced);
  moved.tensors.get('base_model.model.l.v.lora_B.weight')!.data[0]! += 0.01;
  expect(norm(increment(moved, 'l.v').map((value, i) => value - whole[i]!))).toBeGreaterThan(distance);
});

it('refuses other heads and what is no product', () => {
  const other = adapter(2, 1, 4, ['l.v']);
  other.tensors.set('base_model.model.classifier.weight', { shape: [1, 2], data: new Float32Array(2) });
  const sum = (stored: StoredAdapter) => () => sumAdapters([both[0]!, { stored, weight: 1, where: 'other' }]);
  expect(sum(other)).toThrow('other has another head than a');
  const biased = {
    ...b,
    tensors: new Map(b.tensors).set('base_model.model.l.v.base_layer.bias', {
      shape: [OUT],
      data: new Float32Array(OUT),
    }),
  };
  expect(sum({ ...biased, config: { ...b.config, bias: 'lora_only' } })).toThrow('has trained biases');
});
