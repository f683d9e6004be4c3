import { describe, expect, it } from 'vitest';
import type { DownloadProgress } from '../../input/formats/byte-source.ts';
import { encodeSafetensors } from '../../input/formats/encode-safetensors.ts';
import { type Files, filesFrom, type PageFile } from '../../input/formats/files.ts';
import { f32ToF16 } from '../../input/formats/float.ts';
import type { StoredTensor } from '../../input/formats/tensor-data.ts';
import { fetchCheckpoint } from './load-weights.ts';

const f32 = (...values: number[]): StoredTensor => ({
  dtype: 'F32',
  shape: [values.length],
  data: Float32Array.from(values),
});
const f16 = (...values: number[]): StoredTensor => ({
  dtype: 'F16',
  shape: [values.length],
  data: f32ToF16(Float32Array.from(values)),
});

const file = (tensors: Record<string, StoredTensor>) =>
  new Blob(encodeSafetensors(new Map(Object.entries(tensors))) as BlobPart[]);

/** A file set that records the ranges that are read. */
function watched(files: Record<string, PageFile>): { set: Files; read: [number, number][] } {
  const set = filesFrom(new Map(Object.entries(files)), 'model');
  const read: [number, number][] = [];
  return {
    read,
    set: {
      ...set,
      async open(name) {
        const source = await set.open(name);
        return (
          source && {
            ...source,
            read(begin, end) {
              read.push([begin, end]);
              return source.read(begin, end);
            },
          }
        );
      },
    },
  };
}

const indexOf = (map: Record<string, string>) => JSON.stringify({ weight_map: map });

describe('fetchCheckpoint', () => {
  it('reads the header first, then only what is needed, each range of neighbors once', async () => {
    const tensors = { a: f32(1, 2), b: f32(3), c: f32(4, 5), d: f16(0.5), e: f16(7, 8, 9) };
    const { set, read } = watched({ 'model.safetensors': file(tensors) });
    const progress: DownloadProgress[] = [];
    const begins: number[] = [];
    const { checkpoint, bytesOf } = await fetchCheckpoint(
      set,
      ({ names, info }) => {
        expect(names()).toEqual(['a', 'b', 'c', 'd', 'e']);
        begins.push(info('a').begin, info('c').begin);
        expect(read).toEqual([
          [0, 8],
          [0, begins[0]],
        ]);
        return ['e', 'c', 'd', 'a'];
      },
      { onProgress: (part) => progress.push(part) },
    );
    const [a, c] = [8, begins[1]];
    expect(read.slice(2).map(([begin, end]) => end - begin)).toEqual([a, 8 + 2 + 6]);
    expect(read[3]![0]).toBe(c);
    expect(progress).toEqual([a, 24].map((received) => ({ file: 'model.safetensors', received, total: 24 })));
    for (const name of ['a', 'c', 'd', 'e'] as const) {
      const { begin, end, dtype, file } = checkpoint.info(name);
      const { data } = tensors[name];
      const bytes = bytesOf(file.split('/').at(-1)!).subarray(begin, end);
      expect([...bytes]).toEqual([...new Uint8Array(data.buffer)]);
      expect(begin % data.BYTES_PER_ELEMENT).toBe(0);
      expect(dtype).toBe(tensors[name].dtype);
    }
    expect([...checkpoint.readFloat32('e')]).toEqual([7, 8, 9]);
    expect([...checkpoint.readFloat32('c', 1, 2)]).toEqual([5]);
    expect(() => checkpoint.info('f')).toThrow('model has no tensor f (it has 5 tensors)');
  });

  it('returns copies: changing them changes no weight', async () => {
    const { set } = watched({ 'model.safetensors': file({ a: f32(1) }) });
    const { checkpoint } = await fetchCheckpoint(set, () => ['a']);
    checkpoint.readFloat32('a')[0] = 2;
    expect(checkpoint.readFloat32('a')[0]).toBe(1);
  });

  it('reads shards', async () => {
    const { set } = watched({
      'model.safetensors.index.json': indexOf({ a: 'x.safetensors', b: 'y.safetensors' }),
      'x.safetensors': file({ a: f32(1) }),
      'y.safetensors': file({ b: f32(2, 3) }),
    });
    const { checkpoint, bytesOf } = await fetchCheckpoint(set, () => ['b', 'a']);
    expect([...checkpoint.readFloat32('b'), ...checkpoint.readFloat32('a')]).toEqual([2, 3, 1]);
    expect(checkpoint.info('b').file).toBe('model/y.safetensors');
    expect(bytesOf('y.safetensors')).toHaveLength(8);
  });

  it.each<[string, Record<string, PageFile>, string]>([
    ['no weights', {}, 'model/model.safetensors does not exist; it should be the weights'],
    [
      'a pickle alone',
      { 'pytorch_model.bin': new Uint8Array(9) },
      "has weights in PyTorch's format. model.safetensors is required",
    ],
    ['a file that is none', { 'model.safetensors': 'hello' }, 'has 5 bytes, too few'],
    [
      'a file that ends too soon',
      { 'model.safetensors': file({ a: f32(1, 2) }).slice(0, -1) },
      '1 are missing, from tensor "a" on',
    ],
    [
      'an index that leaves its folder',
      { 'model.safetensors.index.json': indexOf({ a: '../x.safetensors' }) },
      'the name of a .safetensors file in the same folder',
    ],
    [
      'a missing shard',
      { 'model.safetensors.index.json': indexOf({ a: 'x.safetensors' }) },
      'names the shard x.safetensors, which is missing',
    ],
    [
      'a shard without its tensor',
      {
        'model.safetensors.index.json': indexOf({ a: 'x.safetensors' }),
        'x.safetensors': file({ b: f32(1) }),
      },
      'puts tensor a into x.safetensors, which does not contain it',
    ],
  ])('rejects %s', async (_, files, message) => {
    await expect(fetchCheckpoint(watched(files).set, () => [])).rejects.toThrow(message);
  });
});
