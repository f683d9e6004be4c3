import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { UserError } from '../../support/user-error.ts';
import type { StoredTensor } from '../tensor-data.ts';
import { openCheckpoint } from './checkpoint.ts';
import { writeSafetensors } from './safetensors-file.ts';

const INDEX = 'model.safetensors.index.json';

let folder: string;
beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'checkpoint-')));
});
afterEach(() => rmSync(folder, { recursive: true }));

function write(name: string, tensors: Record<string, number[]>): void {
  const entries = Object.entries(tensors).map(([key, values]): [string, StoredTensor] => [
    key,
    { dtype: 'F32', shape: [values.length], data: Float32Array.from(values) },
  ]);
  writeSafetensors(join(folder, name), new Map(entries));
}

const writeIndex = (weightMap: unknown) =>
  writeFileSync(join(folder, INDEX), JSON.stringify({ metadata: { total_size: 12 }, weight_map: weightMap }));

describe('openCheckpoint', () => {
  it('reads a single file through the symlinks of a cache', () => {
    write('blobs/abc', { 'a.weight': [1, 2] });
    mkdirSync(join(folder, 'snapshots/rev'), { recursive: true });
    symlinkSync('../../blobs/abc', join(folder, 'snapshots/rev/model.safetensors'));
    const checkpoint = openCheckpoint(join(folder, 'snapshots/rev'));
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
    const checkpoint = openCheckpoint(folder);
    expect(checkpoint.names()).toEqual(['a', 'c', 'b']);
    expect(checkpoint.info('c').file).toBe(join(folder, 'model-2.safetensors'));
    expect(['a', 'b', 'c'].map((name) => checkpoint.readFloat32(name)[0])).toEqual([1, 2, 3]);
    checkpoint.close();
  });

  it.each<[string, unknown, string]>([
    [
      'a path upwards',
      { a: '../model-1.safetensors' },
      'weight_map: a: expected the name of a .safetensors file',
    ],
    ['an absolute path', { a: '/etc/x.safetensors' }, 'weight_map: a: expected the name'],
    ['a Windows path', { a: 'C:x.safetensors' }, 'weight_map: a: expected the name'],
    ['a backslash', { a: '..\\x.safetensors' }, 'weight_map: a: expected the name'],
    ['another kind of file', { a: 'pytorch_model.bin' }, 'weight_map: a: expected the name'],
    ['a number', { a: 1 }, 'weight_map: a: expected the name'],
    ['a list', ['a'], 'expected an object weight_map'],
    ['no map', undefined, 'expected an object weight_map, got none'],
    [
      'a shard that is not there',
      { a: 'model-9.safetensors' },
      'expected the shard model-9.safetensors beside it',
    ],
    [
      'the wrong shard',
      { a: 'model-2.safetensors' },
      'expected tensor a in model-2.safetensors, got a shard without',
    ],
  ])('refuses an index with %s', (_, weightMap, message) => {
    write('model-1.safetensors', { a: [1] });
    write('model-2.safetensors', { c: [3] });
    writeIndex(weightMap);
    expect(() => openCheckpoint(folder)).toThrow(UserError);
    expect(() => openCheckpoint(folder)).toThrow(message);
  });

  it.skipIf(!existsSync('/proc/self/fd'))('closes the shards it had opened when a later one is bad', () => {
    write('model-1.safetensors', { a: [1] });
    writeIndex({ a: 'model-1.safetensors', b: 'model-1.safetensors' });
    const open = () => readdirSync('/proc/self/fd').length;
    const before = open();
    for (let i = 0; i < 5; i++) expect(() => openCheckpoint(folder)).toThrow('tensor b');
    expect(open()).toBe(before);
  });

  it('refuses an index that is no JSON or endless', () => {
    writeFileSync(join(folder, INDEX), '{');
    expect(() => openCheckpoint(folder)).toThrow(`${INDEX}: expected JSON`);
    writeFileSync(join(folder, INDEX), Buffer.alloc(2 ** 25 + 1));
    expect(() => openCheckpoint(folder)).toThrow('at most 33554432 bytes');
  });

  it('tells how to convert a pickle, and what is missing', () => {
    expect(() => openCheckpoint(folder)).toThrow(`expected model.safetensors or ${INDEX}, got neither`);
    writeFileSync(join(folder, 'pytorch_model.bin'), '');
    expect(() => openCheckpoint(folder)).toThrow(/got pytorch_model.bin. Convert .*save_pretrained/);
    expect(() => openCheckpoint(`${folder}x`)).toThrow('expected a model folder, got nothing there');
  });
});
