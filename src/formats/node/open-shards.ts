import { existsSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { TensorFile } from '../tensor-file.ts';
import { holders, MAX_INDEX_BYTES, missingShard, parseWeightMap, type WeightMap } from '../weight-map.ts';
import { readBytes } from './read-text.ts';

/**
 * Opens the shards that an index names: for each tensor the file that has it. All are checked now.
 *
 * @param ending of their names
 * @throws UserError where a shard is missing, or lacks a tensor that the index seeks there; none stays open
 */
export function openShards(
  index: string,
  ending: string,
  open: (path: string) => TensorFile,
): Map<string, TensorFile> {
  const weightMap = readWeightMap(index, ending);
  const files = new Map<string, TensorFile>();
  try {
    for (const [, shard] of weightMap) {
      if (!files.has(shard)) files.set(shard, open(shardPath(index, shard)));
    }
    return holders(weightMap, files, index);
  } catch (error) {
    for (const file of files.values()) file.close();
    throw error;
  }
}

/** The real paths of the shards that an index names, each once. Throws a UserError where one is missing. */
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
