import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { StoredTensor } from '../tensor-data.ts';
import { openCheckpoint } from './checkpoint.ts';
import { writeSafetensors } from './safetensors-file.ts';

const INDEX = 'model.safetensors.index.json';
const FIXTURES = 'src/input/formats/pickle/fixtures';

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

const writeIndex = (weightMap: unknown, name = INDEX) =>
  writeFileSync(join(folder, name), JSON.stringify({ metadata: { total_size: 12 }, weight_map: weightMap }));

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

  it('prefers safetensors, and a single file, like transformers', () => {
    const names = () => {
      const checkpoint = openCheckpoint(folder);
      checkpoint.close();
      return checkpoint.names();
    };
    copyFileSync(`${FIXTURES}/state-dict.bin`, join(folder, 'shard.bin'));
    writeIndex({ weight: 'shard.bin' }, 'pytorch_model.bin.index.json');
    expect(names()).toEqual(['weight']);
    copyFileSync(`${FIXTURES}/legacy.bin`, join(folder, 'pytorch_model.bin'));
    expect(names()).toContain('permuted');
    write('shard.safetensors', { a: [1] });
    writeIndex({ a: 'shard.safetensors' });
    expect(names()).toEqual(['a']);
    write('model.safetensors', { b: [1] });
    expect(names()).toEqual(['b']);
  });

  it('reports missing weights, and how to convert those of another framework', () => {
    expect(() => openCheckpoint(folder)).toThrow(
      `has no weights (model.safetensors, ${INDEX}, pytorch_model.bin, pytorch_model.bin.index.json)`,
    );
    writeFileSync(join(folder, 'tf_model.h5'), '');
    expect(() => openCheckpoint(folder)).toThrow(/only tf_model.h5. Convert .*save_pretrained/);
    expect(() => openCheckpoint(`${folder}x`)).toThrow('does not exist; it should be a model folder');
  });
});

describe.each(['tensors.bin', 'legacy.bin'])('a pytorch_model.bin like %s', (fixture) => {
  const open = () => {
    copyFileSync(`${FIXTURES}/${fixture}`, join(folder, 'pytorch_model.bin'));
    return openCheckpoint(folder);
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

it('reads shards of torch.save, in both formats', () => {
  copyFileSync(`${FIXTURES}/legacy.bin`, join(folder, 'pytorch_model-1.bin'));
  copyFileSync(`${FIXTURES}/state-dict.bin`, join(folder, 'pytorch_model-2.bin'));
  const shards = { matrix: 'pytorch_model-1.bin', bias: 'pytorch_model-2.bin' };
  writeIndex(shards, 'pytorch_model.bin.index.json');
  const checkpoint = openCheckpoint(folder);
  expect(checkpoint.names()).toEqual(['matrix', 'bias']);
  expect(checkpoint.info('bias').file).toBe(join(folder, 'pytorch_model-2.bin'));
  expect(checkpoint.readFloat32('matrix', 1, 2)).toEqual(Float32Array.of(0.125));
  checkpoint.close();
});
