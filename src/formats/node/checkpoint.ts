import { existsSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../../support/user-error.ts';
import type { TensorInfo } from '../safetensors.ts';
import { unknownTensor } from '../unknown-tensor.ts';
import { missingFile } from './missing-file.ts';
import { SafetensorsFile } from './safetensors-file.ts';

/** The tensors of a model folder, in one file or in several. Close it after use. */
export interface Checkpoint {
  names(): string[];
  /** `file` is the real path, all symlinks resolved (a Hugging Face cache is made of them). Throws a UserError for an unknown name. */
  info(name: string): TensorInfo & { file: string };
  /**
   * A floating-point tensor, or its elements [start, end), as f32. Throws a UserError for an unknown name and for
   * integer types.
   */
  readFloat32(name: string, start?: number, end?: number): Float32Array;
  close(): void;
}

const SINGLE = 'model.safetensors';
const INDEX = 'model.safetensors.index.json';
/** Weights that this library does not read: a pickle can run code, the others belong to other frameworks. */
const OTHER_WEIGHTS = [
  'pytorch_model.bin',
  'pytorch_model.bin.index.json',
  'tf_model.h5',
  'flax_model.msgpack',
];
/** An index has some 100 bytes a tensor, and the largest models some 100,000 tensors. */
const MAX_INDEX_BYTES = 32 * 2 ** 20;

/**
 * Opens `model.safetensors`, or the shards that `model.safetensors.index.json` lists. All headers are read and checked
 * now, tensors when asked for. Throws a UserError where there is neither, or where index and shards disagree.
 */
export function openCheckpoint(folder: string): Checkpoint {
  if (!existsSync(folder)) throw missingFile(folder, 'a model folder');
  if (existsSync(join(folder, SINGLE))) {
    const file = SafetensorsFile.open(realpathSync(join(folder, SINGLE)));
    return checkpoint(folder, new Map(file.names().map((name) => [name, file])));
  }
  if (existsSync(join(folder, INDEX))) return openShards(folder);
  throw noWeights(folder);
}

function openShards(folder: string): Checkpoint {
  const where = join(folder, INDEX);
  const open = new Map<string, SafetensorsFile>();
  const fileOf = new Map<string, SafetensorsFile>();
  try {
    for (const [name, shard] of readWeightMap(where)) {
      if (!open.has(shard)) open.set(shard, openShard(folder, shard, where));
      const file = open.get(shard)!;
      if (!file.has(name)) {
        const expected = `tensor ${name} in ${shard}`;
        throw new UserError({
          where,
          expected,
          got: 'a shard without it',
          hint: 'Get the checkpoint again.',
        });
      }
      fileOf.set(name, file);
    }
  } catch (error) {
    for (const file of open.values()) file.close();
    throw error;
  }
  return checkpoint(folder, fileOf);
}

function openShard(folder: string, shard: string, where: string): SafetensorsFile {
  const path = join(folder, shard);
  if (existsSync(path)) return SafetensorsFile.open(realpathSync(path));
  throw new UserError({
    where,
    expected: `the shard ${shard} beside it`,
    got: 'none',
    hint: 'Get the missing file.',
  });
}

function readWeightMap(where: string): [string, string][] {
  const { size } = statSync(where);
  if (size > MAX_INDEX_BYTES) {
    throw new UserError({ where, expected: `at most ${MAX_INDEX_BYTES} bytes`, got: `${size}` });
  }
  let index: unknown;
  try {
    index = JSON.parse(readFileSync(where, 'utf8'));
  } catch (error) {
    throw new UserError({ where, expected: 'JSON', got: (error as Error).message });
  }
  const map = (index as { weight_map?: unknown } | null)?.weight_map;
  if (typeof map !== 'object' || map === null || Array.isArray(map)) {
    throw new UserError({ where, expected: 'an object weight_map', got: JSON.stringify(map) ?? 'none' });
  }
  return Object.entries(map).map(([name, shard]) => {
    if (isPlainFileName(shard)) return [name, shard];
    const expected = 'the name of a .safetensors file in the same folder';
    throw new UserError({ where: `${where}: weight_map: ${name}`, expected, got: JSON.stringify(shard) });
  });
}

/** No way out of the folder: neither separators (of any system) nor drive letters, nor `..` (which does not end so). */
function isPlainFileName(name: unknown): name is string {
  return typeof name === 'string' && /^[^/\\:\0]+\.safetensors$/.test(name);
}

function checkpoint(folder: string, fileOf: Map<string, SafetensorsFile>): Checkpoint {
  const find = (name: string): SafetensorsFile => {
    const file = fileOf.get(name);
    if (file) return file;
    throw unknownTensor(name, [...fileOf.keys()], folder);
  };
  return {
    names: () => [...fileOf.keys()],
    info: (name) => {
      const file = find(name);
      return { ...file.info(name), file: file.path };
    },
    readFloat32: (name, start, end) => find(name).readFloat32(name, start, end),
    close: () => {
      for (const file of new Set(fileOf.values())) file.close();
    },
  };
}

function noWeights(folder: string): UserError {
  const other = OTHER_WEIGHTS.find((name) => existsSync(join(folder, name)));
  const convert = `from transformers import AutoModel; AutoModel.from_pretrained('${folder}').save_pretrained('converted')`;
  return new UserError({
    where: folder,
    expected: `${SINGLE} or ${INDEX}`,
    got: other ?? 'neither',
    hint: other && `Convert the checkpoint once: python -c "${convert}"`,
  });
}
