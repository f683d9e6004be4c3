import { expect, it } from 'vitest';
import { crc32 } from '../../../support/crc.ts';
import { bytesAsSource } from '../byte-source.ts';
import { encodeTorchFile, encodeZip, type FloatTensor } from './encode-torch-file.ts';
import { TorchFile } from './torch-file.ts';

const TENSORS = new Map<string, FloatTensor>([
  ['a.weight', { shape: [2, 3], data: Float32Array.of(1, -2, 3, 0.1, 5e-9, 3e38) }],
  ['a.bias', { shape: [3], data: Float32Array.of(7, 8, 9) }],
  ['größe', { shape: [], data: Float32Array.of(0.5) }],
  ['empty', { shape: [0, 4], data: new Float32Array(0) }],
]);

const bytesOf = (tensors: ReadonlyMap<string, FloatTensor>) =>
  new Uint8Array(Buffer.concat([...encodeTorchFile(tensors, 'folder')]));

it('round-trips', () => {
  const bytes = bytesOf(TENSORS);
  const file = new TorchFile(bytesAsSource(bytes), 'test');
  expect(file.names()).toEqual([...TENSORS.keys()]);
  for (const [name, { shape, data }] of TENSORS) {
    expect(file.info(name)).toMatchObject({ dtype: 'F32', shape });
    expect(file.readFloat32(name)).toEqual(data);
    // PyTorch may map the file, so the data must be aligned for floats.
    if (data.length > 0) expect(file.info(name).begin % 64).toBe(0);
  }
  expect(bytesOf(TENSORS)).toEqual(bytes);
  expect(new TorchFile(bytesAsSource(bytesOf(new Map())), 'test').names()).toEqual([]);
});

it('rejects data of another shape', () => {
  const wrong = new Map([['w', { shape: [2, 2], data: new Float32Array(3) }]]);
  expect(() => bytesOf(wrong)).toThrow('w: 3 elements of [2,2]');
});

it('has a checksum for every entry', () => {
  // The polynomial's check value, from Williams, A painless guide to CRC error detection algorithms (1993).
  const data = new TextEncoder().encode('123456789');
  expect(crc32(data)).toBe(0xcbf43926);
  expect(crc32(new Uint8Array(0))).toBe(0);
  const bytes = Buffer.concat([...encodeZip([{ name: 'x', data }])]);
  expect([bytes.readUInt32LE(14), bytes.readUInt32LE(bytes.indexOf('PK\x01\x02') + 16)]).toEqual([
    0xcbf43926, 0xcbf43926,
  ]);
});
