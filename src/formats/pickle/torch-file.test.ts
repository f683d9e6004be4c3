import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { UserError } from '../../support/user-error.ts';
import { bytesAsSource } from '../byte-source.ts';
import { bf16ToF32, f16ToF32 } from '../float.ts';
import { concat, u32, writeZip } from './testing/write-zip.ts';
import { TorchFile } from './torch-file.ts';

const FIXTURES = 'src/formats/pickle/fixtures';
const read = (name: string) => new Uint8Array(readFileSync(`${FIXTURES}/${name}`));
const open = (bytes: Uint8Array) => new TorchFile(bytesAsSource(bytes), 'x.bin');
const expected: Record<string, { shape: number[]; values: (number | string)[] }> = JSON.parse(
  readFileSync(`${FIXTURES}/expected.json`, 'utf8'),
).tensors;

/** Shape and elements as the generator of the fixtures describes them. */
function described(file: TorchFile, name: string) {
  const { dtype, shape } = file.info(name);
  const data = file.read(name);
  if (data instanceof BigInt64Array) return { shape, values: Array.from(data, String) };
  const widen = { F16: f16ToF32, BF16: bf16ToF32 }[dtype as string];
  return { shape, values: [...(widen ? widen(data as Uint16Array) : data)] };
}

describe.each(['tensors.bin', 'protocol-4.bin'])('%s of PyTorch', (fixture) => {
  const file = open(read(fixture));

  it.each(Object.keys(expected))('%s', (name) => expect(described(file, name)).toEqual(expected[name]));

  it('has no other tensors, and says where they lie', () => {
    expect(file.names()).toEqual(Object.keys(expected));
    const { begin, end, isContiguous } = file.info('matrix');
    expect(isContiguous).toBe(true);
    expect([...file.readFloat32('matrix')]).toEqual([
      ...new Float32Array(read(fixture).slice(begin, end).buffer),
    ]);
    expect(file.info('transposed')).toMatchObject({ begin, end, isContiguous: false });
    expect(() => file.info('matrixx')).toThrow('Did you mean matrix?');
  });

  it('gives any range as f32', () => {
    for (const name of ['matrix', 'transposed', 'half', 'brain', 'double']) {
      const all = expected[name].values.map((value) => Math.fround(Number(value)));
      expect([...file.readFloat32(name, 1)]).toEqual(all.slice(1));
      expect([...file.readFloat32(name, 0, 1)]).toEqual(all.slice(0, 1));
    }
    expect(() => file.readFloat32('long')).toThrow('x.bin: tensor long: expected floating-point values');
  });
});

it('reads a state_dict with its metadata', () => {
  const file = open(read('state-dict.bin'));
  expect(file.names().map((name) => [name, file.info(name).shape])).toEqual([
    ['weight', [3, 2]],
    ['bias', [3]],
  ]);
});

describe('a file that is refused', () => {
  it.each([
    ['evil.bin', 'got the global posix.system (before byte'],
    ['module.bin', 'got the global torch.nn.modules.linear.Linear'],
    ['numbers.bin', 'expected a dictionary of tensors, got something else under "step"'],
    ['expanded.bin', 'got a call with other arguments'],
    ['legacy.bin', 'got one in the format of PyTorch before 1.6. Load it with PyTorch and save it again'],
  ])('%s', (fixture, message) => {
    expect(() => open(read(fixture))).toThrow(message);
    expect(existsSync('executed')).toBe(false);
  });

  it('of no bytes, or of something else', () => {
    for (const bytes of [new Uint8Array(0), new TextEncoder().encode('<html>')])
      expect(() => open(bytes)).toThrow(
        'x.bin: expected a file of torch.save (a zip archive), got something else',
      );
  });

  it('cut short anywhere', () => {
    const bytes = read('tensors.bin');
    for (let length = 0; length < bytes.length; length += 7)
      expect(() => open(bytes.subarray(0, length))).toThrow(UserError);
  });

  it('with a byte changed: by a sentence, or read within its bounds', () => {
    for (const fixture of readdirSync(FIXTURES).filter((name) => name.endsWith('.bin'))) {
      const bytes = read(fixture);
      for (let at = 0; at < bytes.length; at += 3) {
        const changed = bytes.slice();
        changed[at] ^= 1 << (at % 8);
        try {
          const file = open(changed);
          for (const name of file.names()) file.read(name);
        } catch (error) {
          expect(error).toBeInstanceOf(UserError);
        }
      }
    }
  });
});

const text = (value: string) =>
  concat([Uint8Array.of(0x58), u32(value.length), new TextEncoder().encode(value)]);
const ascii = (value: string) => new TextEncoder().encode(value);
const number = (value: number) => {
  const bytes = new Uint8Array(10);
  bytes.set([0x8a, 8]);
  new DataView(bytes.buffer).setBigInt64(2, BigInt(value), true);
  return bytes;
};
const tuple = (...parts: Uint8Array[]) => concat([ascii('('), ...parts, ascii('t')]);

interface Made {
  count?: number;
  offset?: number;
  shape: number[];
  strides: number[];
  key?: string;
  bytes?: number;
  order?: string;
  tensors?: number;
}

/** A file as torch.save makes it, of tensors over one f32 storage, with numbers that may lie. */
function made({ count = 4, offset = 0, shape, strides, key = '0', bytes = 16, order, tensors = 1 }: Made) {
  const storage = tuple(
    text('storage'),
    ascii('ctorch\nFloatStorage\n'),
    text(key),
    text('cpu'),
    number(count),
  );
  const args = tuple(
    concat([storage, ascii('Q')]),
    number(offset),
    tuple(...shape.map(number)),
    tuple(...strides.map(number)),
    Uint8Array.of(0x89, 0x7d),
  );
  const tensor = concat([ascii('ctorch._utils\n_rebuild_tensor_v2\n'), args, ascii('R')]);
  const items = Array.from({ length: tensors }, (_, i) => concat([text(`w${i}`), tensor]));
  return writeZip([
    { name: 'm/data.pkl', data: concat([ascii('}('), ...items, ascii('u.')]) },
    ...(order === undefined ? [] : [{ name: 'm/byteorder', data: ascii(order) }]),
    { name: 'm/data/0', data: new Uint8Array(bytes).map((_, i) => i) },
  ]);
}

describe('numbers that lie', () => {
  it('do not here', () => {
    const file = open(made({ shape: [2, 2], strides: [2, 1], order: 'little' }));
    expect(file.readFloat32('w0')).toHaveLength(4);
    expect(open(made({ shape: [2], strides: [2], offset: 1 })).readFloat32('w0')).toHaveLength(2);
    expect(open(made({ shape: [0, 2 ** 52, 2 ** 52], strides: [1, 1, 1] })).readFloat32('w0')).toHaveLength(
      0,
    );
  });

  it.each<[string, Made, string]>([
    ['2^60 elements', { shape: [2 ** 30, 2 ** 30], strides: [2 ** 30, 1] }, 'a call with other arguments'],
    ['2^60 times one element', { shape: [2 ** 30, 2 ** 30], strides: [0, 0] }, 'a call with other arguments'],
    ['a size beyond 2^53', { shape: [2 ** 60], strides: [1] }, 'a number beyond 2^53'],
    ['a negative size', { shape: [-1], strides: [1] }, 'a call with other arguments'],
    ['a negative stride', { shape: [2], strides: [-1] }, 'a call with other arguments'],
    ['an offset beyond the storage', { shape: [1], strides: [1], offset: 4 }, 'a call with other arguments'],
    ['strides beyond the storage', { shape: [2, 2], strides: [3, 1] }, 'a call with other arguments'],
    ['strides of another rank', { shape: [2, 2], strides: [1] }, 'a call with other arguments'],
    ['70 axes', { shape: Array(70).fill(1), strides: Array(70).fill(1) }, 'a call with other arguments'],
    [
      'a storage larger than its entry',
      { shape: [8], strides: [1], count: 8 },
      'a storage of 32 bytes, got 16',
    ],
    [
      'a storage smaller than its entry',
      { shape: [1], strides: [1], count: 1 },
      'a storage of 4 bytes, got 16',
    ],
    [
      'no entry',
      { shape: [4], strides: [1], key: '../0' },
      'x.bin: tensor w0: expected a storage of 16 bytes, got none',
    ],
    [
      'big-endian',
      { shape: [4], strides: [1], order: 'big' },
      'expected tensors in little-endian order, got "big"',
    ],
    [
      'tensors without end over one storage',
      { shape: [10_000], strides: [1], count: 10_000, bytes: 40_000, tensors: 9 },
      'expected tensors of at most 4 times its size together, got 360000 bytes',
    ],
  ])('%s', (_, fields, message) => expect(() => open(made(fields))).toThrow(message));

  it('or no tensors at all', () => {
    const pickle = (...names: string[]) => writeZip(names.map((name) => ({ name, data: ascii('N.') })));
    expect(() => open(pickle('m/data.pkl'))).toThrow('expected a dictionary of tensors, got something else');
    expect(() => open(pickle('m/x'))).toThrow('expected one data.pkl in the archive');
    expect(() => open(pickle('m/data.pkl', 'n/data.pkl'))).toThrow('torch.save writes it, got 2');
  });
});
