import { existsSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { UserError } from '../../../support/user-error.ts';
import {
  type Checkpoint,
  checkpointOf,
  convertHint,
  holders,
  MAX_INDEX_BYTES,
  missingShard,
  parseWeightMap,
  tensorCounter,
  type WeightMap,
} from '../checkpoint.ts';
import { TorchFile } from '../pickle/torch-file.ts';
import type { TensorFile } from '../safetensors.ts';
import { FileSource, missingFile } from './file-source.ts';
import { readBytes } from './read-text.ts';
import { openSafetensors } from './safetensors-file.ts';

/**
 * Opens and checks the shards that an index names. Returns the file of each tensor.
 *
 * @param ending the file name extension of shards
 * @throws UserError if a shard is missing or lacks a tensor that the index assigns to it, or if there are too
 * many tensors; all shards are closed then
 */
function openShards(
  index: string,
  ending: string,
  open: (path: string) => TensorFile,
): Map<string, TensorFile> {
  const weightMap = readWeightMap(index, ending);
  const files = new Map<string, TensorFile>();
  const count = tensorCounter(index);
  try {
    for (const [, shard] of weightMap) {
      if (files.has(shard)) continue;
      const file = open(shardPath(index, shard));
      files.set(shard, file);
      count(file);
    }
    return holders(weightMap, files, index);
  } catch (error) {
    for (const file of files.values()) file.close();
    throw error;
  }
}

/** The real paths of the shards in an index, without duplicates. Throws a UserError if a shard is missing. */
function shardsOf(index: string, ending: string): string[] {
  const weightMap = readWeightMap(index, ending);
  return [...new Set(weightMap.map(([, shard]) => shard))].map((shard) => shardPath(index, shard));
}

function readWeightMap(index: string, ending: string): WeightMap {
  return parseWeightMap(readBytes(index, 'an index of shards', MAX_INDEX_BYTES), ending, index);
}

function shardPath(index: string, shard: string): string {
  const path = join(dirname(index), shard);
  if (existsSync(path)) return realpathSync(path);
  throw missingShard(shard, index);
}

interface Format {
  single: string;
  index: string;
  ending: string;
  open: (path: string) => TensorFile;
}

/** Weight formats, in transformers' order of preference. */
const FORMATS: readonly Format[] = [
  {
    single: 'model.safetensors',
    index: 'model.safetensors.index.json',
    ending: '.safetensors',
    open: openSafetensors,
  },
  {
    single: 'pytorch_model.bin',
    index: 'pytorch_model.bin.index.json',
    ending: '.bin',
    open: openTorchFile,
  },
];
/** Weight files of other frameworks. */
const OTHER_WEIGHTS = ['tf_model.h5', 'flax_model.msgpack'];

/**
 * Opens the weights of a model folder: `model.safetensors`, `pytorch_model.bin`, or the shards that their
 * index lists. Headers are read and checked at once, tensors on request. Pickles are parsed, never executed.
 *
 * @throws UserError if there are no weights, if index and shards disagree, or if a file is damaged
 */
export function openCheckpoint(folder: string): Checkpoint {
  if (!existsSync(folder)) throw missingFile(folder, 'a model folder');
  for (const { single, index, ending, open } of FORMATS) {
    if (existsSync(join(folder, single))) {
      const file = open(realpathSync(join(folder, single)));
      return checkpoint(folder, new Map(file.names().map((name) => [name, file])));
    }
    if (existsSync(join(folder, index)))
      return checkpoint(folder, openShards(join(folder, index), ending, open));
  }
  throw noWeights(folder);
}

/**
 * The weight files of a model folder, with the index if it exists. Throws a UserError like {@link
 * openCheckpoint}.
 */
export function weightFiles(folder: string): string[] {
  for (const { single, index, ending } of FORMATS) {
    if (existsSync(join(folder, single))) return [join(folder, single)];
    if (existsSync(join(folder, index)))
      return [join(folder, index), ...shardsOf(join(folder, index), ending)];
  }
  throw noWeights(folder);
}

function checkpoint(folder: string, fileOf: ReadonlyMap<string, TensorFile>): Checkpoint {
  return {
    ...checkpointOf(folder, fileOf),
    close() {
      for (const file of new Set(fileOf.values())) file.close();
    },
  };
}

function noWeights(folder: string): UserError {
  const other = OTHER_WEIGHTS.find((name) => existsSync(join(folder, name)));
  return new UserError({
    where: folder,
    fault: `has no weights (${FORMATS.flatMap(({ single, index }) => [single, index]).join(', ')})${other ? `, only ${other}` : ''}`,
    hint: other && convertHint(folder),
    code: 'not_found',
  });
}

/** A {@link TorchFile} on disk. Close it after use. */
type OpenTorchFile = TorchFile & TensorFile;

/** Opens a file. Throws a UserError like {@link TorchFile}, and for a file that is missing or unreadable. */
export function openTorchFile(path: string): OpenTorchFile {
  const source = FileSource.open(path, 'a file of torch.save');
  try {
    return Object.assign(new TorchFile(source, path), { path, close: () => source.close() });
  } catch (error) {
    source.close();
    throw error;
  }
}
