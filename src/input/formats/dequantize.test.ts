import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { joinedBytes } from '../../support/arrays.ts';
import { dequantizedTensors, findQuantization } from './dequantize.ts';
import type { Dtype } from './tensor-data.ts';

interface Stored {
  dtype: Dtype;
  shape: number[];
  data: string;
}
interface Case {
  name: string;
  settings: Record<string, unknown>;
  tensors: Record<string, Stored>;
  expected: Stored;
}

/** Written by scripts/oracle/quantized.py with the packages of these formats. */
const cases: Case[] = JSON.parse(readFileSync(new URL('./fixtures/quantized.json', import.meta.url), 'utf8'));
const bytesOf = ({ data }: Stored) => new Uint8Array(Buffer.from(data, 'base64'));

function dequantize({ settings, tensors }: Case, transposed = false) {
  const source = {
    names: () => Object.keys(tensors),
    info: (name: string) => tensors[name]!,
    read: (name: string) => bytesOf(tensors[name]!),
  };
  const quantization = findQuantization({ quantization_config: settings }, 'config.json')!;
  return dequantizedTensors(source, quantization, transposed, 'model').map(({ make, ...tensor }) => ({
    ...tensor,
    bytes: joinedBytes([...make()]),
  }));
}

it.each(cases)("$name: the same floats as the format's own package", (given) => {
  const bias = { dtype: 'F16' as const, shape: [2], data: 'AAAAPA==' };
  const made = dequantize({ ...given, tensors: { ...given.tensors, 'layer.bias': bias } });
  const { dtype, shape } = given.expected;
  expect(made).toEqual([
    { name: 'layer.weight', dtype, shape, bytes: bytesOf(given.expected) },
    { name: 'layer.bias', dtype: 'F16', shape: [2], bytes: bytesOf(bias) },
  ]);
});

it("a transposed weight has the columns of the layout's as rows", () => {
  const [turned] = dequantize(cases[0]!, true);
  const [whole] = dequantize(cases[0]!);
  expect(turned!.shape).toEqual(whole!.shape.toReversed());
  const [rows, columns] = whole!.shape as [number, number];
  const at = ({ bytes }: { bytes: Uint8Array }, i: number) => bytes[2 * i]! + 256 * bytes[2 * i + 1]!;
  for (const [row, column] of [
    [0, 1],
    [3, 2],
    [31, 62],
  ] as const)
    expect(at(turned!, column * rows + row)).toBe(at(whole!, row * columns + column));
});

it.each([
  [
    'qzeros',
    'is missing, but layer is quantized',
    (tensors: Case['tensors']) => delete tensors['layer.qzeros'],
  ],
  [
    'scales',
    'is F16 [1,32] instead of F16 or BF16 or F32 [2,32]',
    (tensors: Case['tensors']) => (tensors['layer.scales'] = { ...tensors['layer.scales']!, shape: [1, 32] }),
  ],
  [
    'g_idx',
    'names a group outside of 0 to 1',
    (tensors: Case['tensors']) =>
      (tensors['layer.g_idx'] = {
        ...tensors['layer.g_idx']!,
        data: Buffer.from(new Uint8Array(Int32Array.from({ length: 64 }, () => 2).buffer)).toString('base64'),
      }),
  ],
])('a damaged %s is named', (end, fault, damage) => {
  const given = structuredClone(cases[0]!);
  damage(given.tensors);
  expect(() => dequantize(given)).toThrow(`model: tensor "layer.${end}" ${fault}`);
});

it.each([
  { quant_method: 'fp8' },
  { quant_method: 'gptq', bits: 3 },
  { quant_method: 'gptq', bits: 4, checkpoint_format: 'marlin' },
  { quant_method: 'awq', bits: 4, version: 'gemv' },
  {},
])('%o is refused', (quantization_config) => {
  expect(() => findQuantization({ quantization_config }, 'config.json')).toThrow(
    'in a format that is not read. Use the model with float weights',
  );
});
