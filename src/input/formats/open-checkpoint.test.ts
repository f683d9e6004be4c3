import { execFileSync } from 'node:child_process';
import {
  closeSync,
  copyFileSync,
  existsSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { newFolder } from '../../../tests/support/new-folder.ts';
import { writeSafetensors } from '../../../tests/support/safetensors-file.ts';
import { add, input, weight } from '../../engine/graph/build.ts';
import { Graph } from '../../engine/graph/graph.ts';
import { lower, type WeightLocation } from '../../engine/onnx/lower.ts';
import { createSession } from '../../engine/runtime/node/create-session.ts';
import { UserError } from '../../support/user-error.ts';
import { disk } from './node/folder-files.ts';
import { openCheckpoint } from './open-checkpoint.ts';
import type { StoredTensor } from './tensor-data.ts';

const INDEX = 'model.safetensors.index.json';
const FIXTURES = 'src/input/formats/pickle/fixtures';

let folder: string;
beforeEach(() => {
  folder = newFolder();
});

function write(name: string, tensors: Record<string, number[]>): void {
  const entries = Object.entries(tensors).map(([key, values]): [string, StoredTensor] => [
    key,
    { dtype: 'F32', shape: [values.length], data: Float32Array.from(values) },
  ]);
  writeSafetensors(join(folder, name), new Map(entries));
}

const writeIndex = (weightMap: unknown, name = INDEX) =>
  writeFileSync(join(folder, name), JSON.stringify({ metadata: { total_size: 12 }, weight_map: weightMap }));

describe('openCheckpoint', () => {
  it('reads a single file through the symlinks of a cache', () => {
    write('blobs/abc', { 'a.weight': [1, 2] });
    mkdirSync(join(folder, 'snapshots/rev'), { recursive: true });
    symlinkSync('../../blobs/abc', join(folder, 'snapshots/rev/model.safetensors'));
    const checkpoint = openCheckpoint(disk, join(folder, 'snapshots/rev'));
    expect(checkpoint.names()).toEqual(['a.weight']);
    expect(checkpoint.info('a.weight')).toMatchObject({ shape: [2], file: join(folder, 'blobs/abc') });
    expect(checkpoint.readFloat32('a.weight')).toEqual(Float32Array.of(1, 2));
    expect(() => checkpoint.info('a.wieght')).toThrow('Did you mean a.weight?');
    checkpoint.close();
  });

  it('reads shards', () => {
    write('model-1.safetensors', { a: [1], b: [2] });
    write('model-2.safetensors', { c: [3] });
    writeIndex({ a: 'model-1.safetensors', c: 'model-2.safetensors', b: 'model-1.safetensors' });
    const checkpoint = openCheckpoint(disk, folder);
    expect(checkpoint.names()).toEqual(['a', 'c', 'b']);
    expect(checkpoint.info('c').file).toBe(join(folder, 'model-2.safetensors'));
    expect(['a', 'b', 'c'].map((name) => checkpoint.readFloat32(name)[0])).toEqual([1, 2, 3]);
    checkpoint.close();
  });

  it('prefers safetensors, and a single file, like transformers', () => {
    const names = () => {
      const checkpoint = openCheckpoint(disk, folder);
      checkpoint.close();
      return checkpoint.names();
    };
    copyFileSync(`${FIXTURES}/state-dict.bin`, join(folder, 'shard.bin'));
    writeIndex({ weight: 'shard.bin' }, 'pytorch_model.bin.index.json');
    expect(names()).toEqual(['weight']);
    copyFileSync(`${FIXTURES}/protocol-4.bin`, join(folder, 'pytorch_model.bin'));
    expect(names()).toContain('permuted');
    write('shard.safetensors', { a: [1] });
    writeIndex({ a: 'shard.safetensors' });
    expect(names()).toEqual(['a']);
    write('model.safetensors', { b: [1] });
    expect(names()).toEqual(['b']);
  });

  it('reports missing weights, and how to convert those of another framework', () => {
    expect(() => openCheckpoint(disk, folder)).toThrow(
      `has no weights (model.safetensors, ${INDEX}, pytorch_model.bin, pytorch_model.bin.index.json)`,
    );
    writeFileSync(join(folder, 'tf_model.h5'), '');
    expect(() => openCheckpoint(disk, folder)).toThrow(/only tf_model.h5. Convert .*save_pretrained/);
    expect(() => openCheckpoint(disk, `${folder}x`)).toThrow('does not exist; it should be a model folder');
  });
});

describe.each(['tensors.bin', 'protocol-4.bin'])('a pytorch_model.bin like %s', (fixture) => {
  const open = () => {
    copyFileSync(`${FIXTURES}/${fixture}`, join(folder, 'pytorch_model.bin'));
    return openCheckpoint(disk, folder);
  };

  it('is read in place', () => {
    const checkpoint = open();
    const { file, begin, end, ...info } = checkpoint.info('rows');
    expect(info).toEqual({ dtype: 'F32', shape: [2, 4] });
    expect(file).toBe(join(folder, 'pytorch_model.bin'));
    const stored = new Float32Array(new Uint8Array(readFileSync(file)).slice(begin, end).buffer);
    expect(checkpoint.readFloat32('rows')).toEqual(stored);
    expect(checkpoint.readFloat32('rows', 1, 3)).toEqual(stored.slice(1, 3));
    expect(checkpoint.info('tied')).toEqual(checkpoint.info('matrix'));
    expect(checkpoint.info('position_ids')).toMatchObject({ dtype: 'I64', shape: [1, 4] });
    checkpoint.close();
  });

  it("states the order of a transposed tensor's axes", () => {
    const checkpoint = open();
    expect(checkpoint.info('transposed').axes).toEqual([1, 0]);
    expect(checkpoint.info('permuted').axes).toEqual([1, 2, 0]);
    expect(checkpoint.info('matrix').axes).toBeUndefined();
    expect(checkpoint.readFloat32('transposed', 1, 4)).toEqual(Float32Array.of(0.5, 1, 0.125));
    checkpoint.close();
  });

  it('has a tensor that can be read but not mapped', () => {
    const checkpoint = open();
    expect(() => checkpoint.info('columns')).toThrow('tensor columns is not contiguous');
    expect(() => checkpoint.info('columns')).toThrow('Convert the checkpoint once');
    checkpoint.close();
  });
});

it('reads shards of torch.save', () => {
  copyFileSync(`${FIXTURES}/protocol-4.bin`, join(folder, 'pytorch_model-1.bin'));
  copyFileSync(`${FIXTURES}/state-dict.bin`, join(folder, 'pytorch_model-2.bin'));
  const shards = { matrix: 'pytorch_model-1.bin', bias: 'pytorch_model-2.bin' };
  writeIndex(shards, 'pytorch_model.bin.index.json');
  const checkpoint = openCheckpoint(disk, folder);
  expect(checkpoint.names()).toEqual(['matrix', 'bias']);
  expect(checkpoint.info('bias').file).toBe(join(folder, 'pytorch_model-2.bin'));
  expect(checkpoint.readFloat32('matrix', 1, 2)).toEqual(Float32Array.of(0.125));
  checkpoint.close();
});

/** Number of elements in each of two bf16 tensors, which together have 8 GB. */
const COUNT = 2 ** 31;
/**
 * Maximum growth of memory in bytes, less than a hundredth of the file. Garbage of other tests may be freed
 * meanwhile.
 */
const MAX_GROWTH = 100 * 2 ** 20;

/** Writes a sparse file: only one element of each tensor takes disk space. */
function writeSparse(): void {
  const tensor = (i: number) => ({
    dtype: 'BF16',
    shape: [COUNT / 1024, 1024],
    data_offsets: [2 * COUNT * i, 2 * COUNT * (i + 1)],
  });
  const header = new TextEncoder().encode(JSON.stringify({ a: tensor(0), b: tensor(1) }));
  const fd = openSync(join(folder, 'model.safetensors'), 'w');
  const dataStart = 8 + header.length;
  writeSync(fd, new Uint8Array(BigUint64Array.of(BigInt(header.length)).buffer));
  writeSync(fd, header);
  ftruncateSync(fd, dataStart + 4 * COUNT);
  const one = Uint8Array.of(0x80, 0x3f);
  writeSync(fd, one, 0, 2, dataStart + 2);
  writeSync(fd, one, 0, 2, dataStart + 4 * COUNT - 2);
  closeSync(fd);
}

it('a file of 8 GB opens, and is read in parts, with constant memory', () => {
  writeSparse();
  const before = process.memoryUsage.rss();
  const checkpoint = openCheckpoint(disk, folder);
  expect(checkpoint.readFloat32('a', 0, 3)).toEqual(Float32Array.of(0, 1, 0));
  expect(checkpoint.readFloat32('b', COUNT - 2)).toEqual(Float32Array.of(0, 1));
  for (let i = 1; i <= 100; i++) checkpoint.readFloat32('b', i * 2 ** 18, (i + 1) * 2 ** 18);
  checkpoint.close();
  expect(process.memoryUsage.rss() - before).toBeLessThan(MAX_GROWTH);
});

const DTYPES: Record<string, WeightLocation['dtype']> = { F32: 'float32', F16: 'float16', BF16: 'bfloat16' };

/** The old format does not align storages, but the engine can map them. */
it.each(['tensors.bin', 'protocol-4.bin'])('the engine maps %s', async (fixture) => {
  copyFileSync(`src/input/formats/pickle/fixtures/${fixture}`, join(folder, 'pytorch_model.bin'));
  const checkpoint = openCheckpoint(disk, folder);
  const names = ['matrix', 'rows', 'parameter', 'half', 'brain', 'tied'];
  const graph = new Graph();
  const zero = input(graph, 'zero', 'float32', []);
  const outputs = Object.fromEntries(
    names.map((name) => [`y_${name}`, add(weight(graph, name, checkpoint.info(name).shape), zero)]),
  );
  const locate = (name: string): WeightLocation => {
    const { dtype, begin, end } = checkpoint.info(name);
    return { file: 'pytorch_model.bin', begin, end, dtype: DTYPES[dtype]! };
  };
  const session = await createSession(lower(outputs, { target: 'cpu', locate }), {
    device: 'cpu',
    weightFolder: dirname(checkpoint.info('matrix').file),
  });
  const results = await session.run({ zero: { data: new Float32Array(1), dims: [] } });
  for (const name of names) expect(results[`y_${name}`]!.data).toEqual(checkpoint.readFloat32(name));
  await session.release();
  checkpoint.close();
});

const KINDS = [
  { ending: '.safetensors', index: 'model.safetensors.index.json', other: '.bin' },
  { ending: '.bin', index: 'pytorch_model.bin.index.json', other: '.safetensors' },
];

describe.each(KINDS)('an index of $ending files', ({ ending, index, other }) => {
  const fails = (weightMap: unknown, message: string) => {
    writeFileSync(join(folder, index), JSON.stringify({ weight_map: weightMap }));
    const error = expect.objectContaining({
      name: UserError.name,
      message: expect.stringContaining(message),
    });
    expect(() => openCheckpoint(disk, folder)).toThrow(error);
  };

  beforeEach(() => {
    const tensor = { dtype: 'F32' as const, shape: [1], data: Float32Array.of(1) };
    if (ending === '.bin')
      copyFileSync('src/input/formats/pickle/fixtures/state-dict.bin', join(folder, 'one.bin'));
    else writeSafetensors(join(folder, 'one.safetensors'), new Map([['weight', tensor]]));
    symlinkSync(`loop${ending}`, join(folder, `loop${ending}`));
    symlinkSync('nowhere', join(folder, `dangling${ending}`));
    mkdirSync(join(folder, `folder${ending}`));
    writeFileSync(join(folder, `empty${ending}`), '');
  });

  it.each<[string, unknown, string]>([
    ['a path upwards', '../one', '`weight_map: weight` must be the name of a'],
    ['an absolute path', '/etc/one', '`weight_map: weight` must be the name'],
    ['a path inside', 'folder/one', '`weight_map: weight` must be the name'],
    ['a Windows path', 'C:one', '`weight_map: weight` must be the name'],
    ['a backslash', '..\\one', '`weight_map: weight` must be the name'],
    ['a zero byte', 'one\0', '`weight_map: weight` must be the name'],
    ['an ending alone', '', '`weight_map: weight` must be the name'],
    ['a folder', 'folder', 'is a folder or a device'],
    ['a link to itself', 'loop', 'which is missing'],
    ['a link to nothing', 'dangling', 'which is missing'],
    ['no file', 'nine', 'which is missing. Download the missing file.'],
    ['a long name', 'x'.repeat(10_000), 'which is missing'],
    ['an empty file', 'empty', `empty${ending} `],
  ])('with %s', (_, shard, message) => fails({ weight: `${shard}${ending}` }, message));

  it.each<[string, unknown, string]>([
    ['another kind of file', { weight: `one${other}` }, `must be the name of a ${ending} file in the same`],
    ['a number', { weight: 1 }, '`weight_map: weight` must be the name'],
    ['a list', ['weight'], 'has a weight_map that is not an object: ["weight"]'],
    ['no map', undefined, 'has no weight_map'],
    [
      'a tensor that the shard lacks',
      { b: `one${ending}` },
      `puts tensor b into one${ending}, which does not contain it`,
    ],
    ['itself', { weight: index }, 'must be the name'],
  ])('with %s in a shard', (_, weightMap, message) => fails(weightMap, message));

  it.skipIf(process.platform === 'win32')('with a pipe', () => {
    execFileSync('mkfifo', [join(folder, `pipe${ending}`)]);
    fails({ weight: `pipe${ending}` }, 'is a folder or a device');
  });

  it('with too many shards, tensors or bytes, without end or duplicated', () => {
    const many = (count: number, shard: (i: number) => string) =>
      Object.fromEntries(Array.from({ length: count }, (_, i) => [`w${i}`, `${shard(i)}${ending}`]));
    fails(
      many(2000, (i) => `${i}`),
      'names 2000 shards, more than the maximum of 1024',
    );
    fails(
      many(530_000, () => 'one'),
      'is JSON with more than 1048576 values',
    );
    const write = (content: string | Uint8Array) => writeFileSync(join(folder, index), content);
    write(Buffer.alloc(2 ** 25 + 1));
    expect(() => openCheckpoint(disk, folder)).toThrow(
      'has 33554433 bytes, more than the maximum of 33554432',
    );
    write('{');
    expect(() => openCheckpoint(disk, folder)).toThrow(`${index} is not valid JSON: something else`);
    write('['.repeat(1e6));
    expect(() => openCheckpoint(disk, folder)).toThrow('nested deeper than 8 levels');
    write(`{"weight_map":{"weight":"one${ending}","weight":"two${ending}"}}`);
    expect(() => openCheckpoint(disk, folder)).toThrow('has the same key');
  });

  it.skipIf(!existsSync('/proc/self/fd'))('closes the shards opened so far', () => {
    const open = () => readdirSync('/proc/self/fd').length;
    const before = open();
    for (const [file, message] of [
      ['one', 'does not contain it'],
      ['nine', 'is missing'],
    ] as const) {
      const map = { weight: `one${ending}`, b: `${file}${ending}` };
      for (let i = 0; i < 5; i++) fails(map, message);
    }
    expect(open()).toBe(before);
  });
});
