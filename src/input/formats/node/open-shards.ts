import { existsSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { TensorFile } from '../safetensors.ts';
import {
  holders,
  MAX_INDEX_BYTES,
  missingShard,
  parseWeightMap,
  tensorCounter,
  type WeightMap,
} from '../weight-map.ts';
import { readBytes } from './read-text.ts';

/**
 * Opens and checks the shards that an index names. Returns the file of each tensor.
 *
 * @param ending the file name extension of shards
 * @throws UserError if a shard is missing or lacks a tensor that the index assigns to it, or if there are too
 * many tensors; all shards are closed then
 */
export function openShards(
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
export function shardsOf(index: string, ending: string): string[] {
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
