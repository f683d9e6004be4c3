import { join } from 'node:path';
import { streamSafetensors } from '../../src/input/formats/encode-safetensors.ts';
import { f32ToBf16 } from '../../src/input/formats/float.ts';
import { atomicWrite } from '../../src/input/store/node/atomic-write.ts';
import { elementCount } from '../../src/support/arrays.ts';
import { Random } from '../../src/support/random.ts';

type Shapes = Map<string, number[]>;

/**
 * Number of random values. Matrices are cut from them at random positions, because drawing every value would
 * take an hour.
 */
const POOL = 2 ** 22;
const BYTES = 2;

/**
 * Writes a random bf16 checkpoint in shards with their index. Matrices have the standard deviation `std`;
 * vectors (of norms) are ones. Only the random values are in memory.
 */
export function writeShards(folder: string, shapes: Shapes, std: number, maxBytes: number): void {
  const random = new Random(0, 'large checkpoint');
  const pool = f32ToBf16(random.normals(POOL, std));
  function* chunks(shape: readonly number[]) {
    const count = elementCount(shape);
    if (shape.length === 1) yield bytesOf(f32ToBf16(new Float32Array(count).fill(1)));
    else {
      for (let left = count; left > 0; ) {
        const start = random.integer(POOL / 2);
        const part = pool.subarray(start, start + left);
        yield bytesOf(part);
        left -= part.length;
      }
    }
  }
  const shards = intoShards(shapes, maxBytes);
  const weightMap: Record<string, string> = {};
  for (const [i, shard] of shards.entries()) {
    const file = `model-${digits(i + 1)}-of-${digits(shards.length)}.safetensors`;
    const tensors = new Map([...shard].map(([name, shape]) => [name, { dtype: 'BF16' as const, shape }]));
    const chunksOf = (name: string) => chunks(shard.get(name)!);
    atomicWrite(join(folder, file), streamSafetensors(tensors, chunksOf, { format: 'pt' }));
    for (const name of shard.keys()) weightMap[name] = file;
  }
  const index = { metadata: { total_size: bytesIn(shapes) }, weight_map: weightMap };
  atomicWrite(join(folder, 'model.safetensors.index.json'), `${JSON.stringify(index, null, 2)}\n`);
}

/** Groups tensors into shards of at most `maxBytes`. */
function intoShards(shapes: Shapes, maxBytes: number): Shapes[] {
  const shards: Shapes[] = [new Map()];
  for (const [name, shape] of shapes) {
    const last = shards.at(-1)!;
    const fits = last.size === 0 || bytesIn(last) + BYTES * elementCount(shape) <= maxBytes;
    if (fits) last.set(name, shape);
    else shards.push(new Map([[name, shape]]));
  }
  return shards;
}

function bytesIn(shapes: Shapes): number {
  return [...shapes.values()].reduce((sum, shape) => sum + BYTES * elementCount(shape), 0);
}

function bytesOf({ buffer, byteOffset, byteLength }: Uint16Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

function digits(n: number): string {
  return `${n}`.padStart(5, '0');
}
