import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ascii, type MadeFile, makeArchive, text } from '../../../../tests/support/make-torch-file.ts';
import { readOrRefuse, withBitTurned } from '../../../../tests/support/read-or-refuse.ts';
import { concatBytes, writeZip } from '../../../../tests/support/write-zip.ts';
import { elementCount } from '../../../support/arrays.ts';
import { UserError } from '../../../support/user-error.ts';
import { bytesAsSource } from '../byte-source.ts';
import { bf16ToF32, f16ToF32 } from '../float.ts';
import { TorchFile } from './torch-file.ts';

const FIXTURES = 'src/input/formats/pickle/fixtures';
const read = (name: string) => new Uint8Array(readFileSync(`${FIXTURES}/${name}`));
const open = (bytes: Uint8Array) => TorchFile.open(bytesAsSource(bytes, 'x.bin'));
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

describe.each(['tensors.bin', 'protocol-4.bin'])('%s of PyTorch', (fixture) => {
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
});

it('reads a state_dict with its metadata', () => {
  const file = open(read('state-dict.bin'));
  expect(file.names().map((name) => [name, file.info(name).shape])).toEqual([
    ['weight', [3, 2]],
    ['bias', [3]],
  ]);
});

it('reads the files made by the tests', () => {
  const make = makeArchive;
  const file = open(make({ shape: [2, 2], strides: [2, 1], order: 'little' }));
  expect(file.readFloat32('w0')).toHaveLength(4);
  expect(open(make({ shape: [2], strides: [2], offset: 1 })).readFloat32('w0')).toHaveLength(2);
  expect(open(make({ shape: [0, 2 ** 52, 2 ** 52], strides: [1, 1, 1] })).readFloat32('w0')).toHaveLength(0);
});

const archive = (...parts: Uint8Array[]) => writeZip([{ name: 'm/data.pkl', data: concatBytes(parts) }]);

describe('a rejected file', () => {
  it.each([
    ['evil.bin', 'uses the global posix.system before byte'],
    ['module.bin', 'uses the global torch.nn.modules.linear.Linear'],
    ['numbers.bin', 'must be a dictionary of tensors, got a number under "step". Save the tensors alone'],
    ['nested.bin', 'got a dictionary under "state_dict". It is a training checkpoint. Save only the value'],
    ['expanded.bin', 'calls a function with the wrong arguments'],
  ])('%s', (fixture, message) => {
    expect(() => open(read(fixture))).toThrow(message);
    expect(existsSync('executed')).toBe(false);
  });

  it('without bytes, or in another format', () => {
    for (const bytes of [new Uint8Array(0), ascii('<html>')])
      expect(() => open(bytes)).toThrow('x.bin is not a zip archive of torch.save');
    expect(() => open(Uint8Array.of(0x80, 2, 0x4e, 0x2e))).toThrow(
      'x.bin is a file of PyTorch before 1.6. Load it with PyTorch and save it as safetensors.',
    );
  });

  it('truncated anywhere', () => {
    const bytes = read('tensors.bin');
    for (let length = 0; length < bytes.length; length += 7)
      expect(() => open(bytes.subarray(0, length))).toThrow(UserError);
  });

  it('with a flipped bit: rejected with a message, or read within its bounds', () => {
    const readAll = (bytes: Uint8Array) => {
      const file = open(bytes);
      return file.names().map((name) => ({ ...file.info(name), data: file.read(name) }));
    };
    const files = readdirSync(FIXTURES).filter((name) => name.endsWith('.bin'));
    const inputs = files.flatMap((name) => [...withBitTurned(read(name), 3)]);
    readOrRefuse(inputs, readAll, (tensors, bytes) => {
      for (const { shape, begin, end, data } of tensors) {
        expect(data.length).toBe(elementCount(shape));
        expect(0 <= begin && begin <= end && end <= bytes.length).toBe(true);
      }
      const total = tensors.reduce((sum, { data }) => sum + data.byteLength, 0);
      expect(total).toBeLessThanOrEqual(4 * bytes.length);
    });
  });
});

describe('a global in a pickle is not resolved', () => {
  const call = (global: string, argument: string) =>
    concatBytes([ascii(`c${global.replace(/\.(?=[^.]*$)/, '\n')}\n(`), text(argument), ascii('tR.')]);
  it.each([
    ...['os.system', 'builtins.eval', 'builtins.exec', 'builtins.getattr', 'builtins.__import__'],
    ...['operator.attrgetter', 'functools.partial', 'subprocess.Popen', 'runpy._run_code', '_codecs.encode'],
    // Globals of PyTorch that would download, run or write something, or unpickle their argument without
    // restriction.
    ...['torch.storage._load_from_bytes', 'torch.load', 'torch.hub.load', 'torch.jit.load', 'torch.compile'],
    ...['torch.ops.load_library', 'torch.save', 'torch._utils._rebuild_sparse_tensor', 'torch.Tensor'],
    ...[
      'torch.FloatStorage.from_file',
      'torch._utils._rebuild_tensor_v2.__globals__',
      'collections.namedtuple',
    ],
  ])('%s', (global) => {
    const pickle = call(global, 'touch executed');
    expect(() => open(archive(pickle))).toThrow(`uses the global ${global} before byte`);
    expect(existsSync('executed')).toBe(false);
  });
});

const LIES: [string, MadeFile, string][] = [
  [
    '2^60 elements',
    { shape: [2 ** 30, 2 ** 30], strides: [2 ** 30, 1] },
    'calls a function with the wrong arguments',
  ],
  [
    '2^60 times one',
    { shape: [2 ** 30, 2 ** 30], strides: [0, 0] },
    'calls a function with the wrong arguments',
  ],
  ['a size beyond 2^53', { shape: [2 ** 60], strides: [1] }, 'a number beyond 2^53'],
  ['a negative size', { shape: [-1], strides: [1] }, 'calls a function with the wrong arguments'],
  ['a negative stride', { shape: [2], strides: [-1] }, 'calls a function with the wrong arguments'],
  [
    'a negative offset',
    { shape: [1], strides: [1], offset: -1 },
    'calls a function with the wrong arguments',
  ],
  ['an offset beyond', { shape: [1], strides: [1], offset: 4 }, 'calls a function with the wrong arguments'],
  ['strides beyond', { shape: [2, 2], strides: [3, 1] }, 'calls a function with the wrong arguments'],
  ['2^52 as stride', { shape: [2], strides: [2 ** 52] }, 'calls a function with the wrong arguments'],
  ['strides of another rank', { shape: [2, 2], strides: [1] }, 'calls a function with the wrong arguments'],
  [
    '70 axes',
    { shape: Array(70).fill(1), strides: Array(70).fill(1) },
    'calls a function with the wrong arguments',
  ],
  ['a negative storage', { shape: [0], strides: [1], count: -1 }, 'describes a storage in an unknown way'],
  ['big-endian', { shape: [4], strides: [1], order: 'big' }, '-endian'],
];

it.each(LIES)('false numbers: %s', (_, fields, message) =>
  expect(() => open(makeArchive(fields))).toThrow(message),
);

describe('an archive with false storages', () => {
  const whole = { shape: [4], strides: [1] };
  it.each<[string, MadeFile, string]>([
    ['larger than the entry', { ...whole, count: 8 }, 'has a storage of 16 bytes instead of 32'],
    ['smaller than the entry', { ...whole, shape: [1], count: 1 }, 'has a storage of 16 bytes instead of 4'],
    ['2^52 elements', { ...whole, count: 2 ** 52 }, `has a storage of 16 bytes instead of ${2 ** 54}`],
    ['no entry', { ...whole, key: '../0' }, 'x.bin: tensor w0 has no such storage'],
    [
      'shared without end',
      { shape: [10_000], strides: [1], count: 10_000, bytes: 40_000, tensors: 9 },
      'has tensors of 360000 bytes in a file of',
    ],
  ])('%s', (_, fields, message) => expect(() => open(makeArchive(fields))).toThrow(message));

  it('or without tensors', () => {
    const pickle = (...names: string[]) => writeZip(names.map((name) => ({ name, data: ascii('N.') })));
    expect(() => open(pickle('m/data.pkl'))).toThrow('must be a dictionary of tensors, got None');
    expect(() => open(pickle('m/x'))).toThrow('has 0 data.pkl files instead of one');
    expect(() => open(pickle('m/data.pkl', 'n/data.pkl'))).toThrow('has 2 data.pkl files instead of one');
  });
});

describe('a file that would fill the memory or never end', () => {
  it.each<[string, Uint8Array, string]>([
    ['dictionaries', new Uint8Array(2 ** 20).fill(0x7d), 'more than 524288 operations'],
    ['a pickle beyond its limit', new Uint8Array(2 ** 24 + 1), 'more than the maximum of 16777216'],
    ['a text of 4 GB', concatBytes([ascii('X'), Uint8Array.of(255, 255, 255, 255)]), 'ends without STOP'],
  ])('%s', (_, pickle, message) => {
    expect(() => open(archive(pickle))).toThrow(message);
  });
});
