import { UserError } from '../../support/user-error.ts';
import { parseBoundedJson } from '../bounded-json.ts';
import { excerpt, excerptName } from '../excerpt.ts';
import { FileSource } from './file-source.ts';

/** An index has some 100 bytes a tensor, and the largest models some 100,000 tensors. */
const MAX_INDEX_BYTES = 32 * 2 ** 20;
/** Two a tensor, and some metadata. */
const JSON_LIMITS = { depth: 8, values: 2 ** 20 };

/**
 * Reads the index of a sharded checkpoint: for each tensor the name of a file that ends in `ending`, and lies in the
 * same folder. Throws a UserError for anything else.
 */
export function readWeightMap(path: string, ending: string): [tensor: string, shard: string][] {
  const map = (readIndex(path) as { weight_map?: unknown } | null)?.weight_map;
  if (typeof map !== 'object' || map === null || Array.isArray(map)) {
    const got = map === undefined ? 'none' : excerpt(map);
    throw new UserError({ where: path, expected: 'an object weight_map', got });
  }
  return Object.entries(map).map(([name, shard]) => {
    if (isPlainFileName(shard, ending)) return [name, shard];
    const expected = `the name of a ${ending} file in the same folder`;
    throw new UserError({
      where: `${path}: weight_map: ${excerptName(name)}`,
      expected,
      got: excerpt(shard),
    });
  });
}

function readIndex(path: string): unknown {
  const file = FileSource.open(path, 'an index of shards');
  try {
    if (file.size <= MAX_INDEX_BYTES) return parseBoundedJson(file.read(0, file.size), JSON_LIMITS, path);
    const expected = `at most ${MAX_INDEX_BYTES} bytes`;
    throw new UserError({ where: path, expected, got: `${file.size}` });
  } finally {
    file.close();
  }
}

/** No way out of the folder: neither separators (of any system) nor drive letters, nor `..` (which does not end so). */
function isPlainFileName(name: unknown, ending: string): name is string {
  return typeof name === 'string' && /^[^/\\:\0]+$/.test(name) && name.endsWith(ending) && name !== ending;
}
