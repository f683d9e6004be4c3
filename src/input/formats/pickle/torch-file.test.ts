import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { makeArchive, makeLegacy } from '../../../../tests/support/make-torch-file.ts';
import { bytesAsSource } from '../byte-source.ts';
import { bf16ToF32, f16ToF32 } from '../float.ts';
import { TorchFile } from './torch-file.ts';

const FIXTURES = 'src/input/formats/pickle/fixtures';
const read = (name: string) => new Uint8Array(readFileSync(`${FIXTURES}/${name}`));
const open = (bytes: Uint8Array) => new TorchFile(bytesAsSource(bytes), 'x.bin');
const expected: Record<string, { shape: number[]; values: (number | string)[] }> = JSON.parse(
  readFileSync(`${FIXTURES}/expected.json`, 'utf8'),
).tensors;

/** Describes a tensor's shape and elements in the same form as the fixtures. */
function described(file: TorchFile, name: string) {
  const { dtype, shape } = file.info(name);
  const data = file.read(name);
  if (data instanceof BigInt64Array) return { shape, values: Array.from(data, String) };
  const widen = { F16: f16ToF32, BF16: bf16ToF32 }[dtype as string];
  return { shape, values: [...(widen ? widen(data as Uint16Array) : data)] };
}

describe.each(['tensors.bin', 'protocol-4.bin', 'legacy.bin', 'legacy-protocol-4.bin'])(
  '%s of PyTorch',
  (fixture) => {
    const file = open(read(fixture));

    it.each(Object.keys(expected))('%s', (name) => expect(described(file, name)).toEqual(expected[name]));

    it('has no other tensors, and states their locations', () => {
      expect(file.names()).toEqual(Object.keys(expected));
      const { begin, end, axes } = file.info('matrix');
      expect(axes).toBeUndefined();
      expect([...file.readFloat32('matrix')]).toEqual([
        ...new Float32Array(read(fixture).slice(begin, end).buffer),
      ]);
      expect(file.info('tied')).toEqual(file.info('matrix'));
      expect(file.info('rows')).toEqual({ dtype: 'F32', shape: [2, 4], begin: begin + 16, end });
      expect(() => file.info('matrixx')).toThrow('Did you mean matrix?');
    });

    it('states the order of the axes', () => {
      const { begin, end } = file.info('matrix');
      expect(file.info('transposed')).toMatchObject({ begin, end, axes: [1, 0] });
      expect(file.info('permuted')).toMatchObject({ shape: [4, 2, 3], axes: [1, 2, 0] });
      expect(file.info('columns').axes).toBe('scattered');
      // Strides have no effect for an axis of size one, and for an empty tensor.
      for (const name of ['brain', 'position_ids', 'empty']) expect(file.info(name).axes).toBeUndefined();
    });

    it('returns any range as f32', () => {
      for (const name of ['matrix', 'transposed', 'half', 'brain', 'double', 'rows']) {
        const all = expected[name]!.values.map((value) => Math.fround(Number(value)));
        expect([...file.readFloat32(name, 1)]).toEqual(all.slice(1));
        expect([...file.readFloat32(name, 0, 1)]).toEqual(all.slice(0, 1));
        expect([...file.readFloat32(name, 1, 1)]).toEqual([]);
        expect(() => file.readFloat32(name, 0, all.length + 1)).toThrow(RangeError);
      }
      file.readFloat32('transposed', 0, 1).fill(9);
      expect(file.readFloat32('transposed', 0, 1)).toEqual(Float32Array.of(0));
      expect(() => file.readFloat32('long')).toThrow('x.bin: tensor long has values of');
    });
  },
);

it('reads a state_dict with its metadata', () => {
  const file = open(read('state-dict.bin'));
  expect(file.names().map((name) => [name, file.info(name).shape])).toEqual([
    ['weight', [3, 2]],
    ['bias', [3]],
  ]);
});

it.each([makeArchive, makeLegacy])('reads the files made by the tests: %o', (make) => {
  const file = open(make({ shape: [2, 2], strides: [2, 1], order: 'little' }));
  expect(file.readFloat32('w0')).toHaveLength(4);
  expect(open(make({ shape: [2], strides: [2], offset: 1 })).readFloat32('w0')).toHaveLength(2);
  expect(open(make({ shape: [0, 2 ** 52, 2 ** 52], strides: [1, 1, 1] })).readFloat32('w0')).toHaveLength(0);
});
