import { existsSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { UserError } from '../../support/user-error.ts';
import { excerptName } from '../excerpt.ts';
import type { TensorFile } from '../tensor-file.ts';
import { readWeightMap } from './weight-map.ts';

/** Each takes a file descriptor; the largest models have some 200. */
const MAX_SHARDS = 1024;

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
  const shards = new Set(weightMap.map(([, shard]) => shard));
  if (shards.size > MAX_SHARDS) {
    throw new UserError({ where: index, expected: `at most ${MAX_SHARDS} shards`, got: `${shards.size}` });
  }
  const files = new Map<string, TensorFile>();
  try {
    for (const shard of shards) files.set(shard, open(shardPath(index, shard)));
    return new Map(weightMap.map(([name, shard]) => [name, holder(name, shard, files.get(shard)!, index)]));
  } catch (error) {
    for (const file of files.values()) file.close();
    throw error;
  }
}

function shardPath(index: string, shard: string): string {
  const path = join(dirname(index), shard);
  if (existsSync(path)) return realpathSync(path);
  const expected = `the shard ${excerptName(shard)} beside it`;
  throw new UserError({ where: index, expected, got: 'none', hint: 'Get the missing file.' });
}

function holder(name: string, shard: string, file: TensorFile, index: string): TensorFile {
  if (file.has(name)) return file;
  throw new UserError({
    where: index,
    expected: `tensor ${excerptName(name)} in ${excerptName(shard)}`,
    got: 'a shard without it',
    hint: 'Get the checkpoint again.',
  });
}
