import { UserError } from '../support/user-error.ts';
import { bytesAsSource } from './byte-source.ts';
import { type Checkpoint, checkpointOf } from './checkpoint.ts';
import { convertHint } from './convert-hint.ts';
import type { DownloadProgress } from './download-progress.ts';
import { FetchedTensors } from './fetched-tensors.ts';
import { type Files, missingIn, pathIn, readFile } from './files.ts';
import { sourceDigest, startDigest } from './source-digest.ts';
import { holders, MAX_INDEX_BYTES, missingShard, parseWeightMap, tensorCounter } from './weight-map.ts';

const ENDING = '.safetensors';
const SINGLE = `model${ENDING}`;
const INDEX = `${SINGLE}.index.json`;
const PICKLES = ['pytorch_model.bin', 'pytorch_model.bin.index.json'];

/** A remote checkpoint. Tensors must be fetched with {@link load} before they are read. */
export interface FetchedCheckpoint extends Checkpoint {
  /**
   * Fetches tensors into memory.
   *
   * @param onProgress called after each part of a file
   * @param hashed whether to read the files as a whole and return their digests, the index's first
   */
  load(
    names: Iterable<string>,
    onProgress?: (progress: DownloadProgress) => void,
    hashed?: boolean,
  ): Promise<readonly string[]>;
  /** The loaded tensors of a file as bytes; `file` is a name without folder. */
  bytesOf(file: string): Uint8Array;
}

/**
 * Opens `model.safetensors`, or the shards that its index lists, and checks the headers. Tensors are not read
 * yet.
 *
 * @throws UserError if there are no weights, if index and shards disagree, or if a file is damaged
 */
export async function openFetchedCheckpoint(set: Files): Promise<FetchedCheckpoint> {
  const source = await set.open(SINGLE);
  if (source) {
    const file = await FetchedTensors.open(source, pathIn(set.name, SINGLE));
    return checkpoint(set.name, new Map([[SINGLE, file]]), new Map(file.names().map((name) => [name, file])));
  }
  const index = await readFile(set, INDEX, MAX_INDEX_BYTES);
  if (index) return openFetchedShards(set, index);
  throw await noWeights(set);
}

async function openFetchedShards(set: Files, index: Uint8Array): Promise<FetchedCheckpoint> {
  const where = pathIn(set.name, INDEX);
  const weightMap = parseWeightMap(index, ENDING, where);
  const count = tensorCounter(where);
  const files = new Map<string, FetchedTensors>();
  for (const shard of new Set(weightMap.map(([, name]) => name))) {
    const source = await set.open(shard);
    if (!source) throw missingShard(shard, where);
    const file = await FetchedTensors.open(source, pathIn(set.name, shard));
    count(file);
    files.set(shard, file);
  }
  return checkpoint(set.name, files, holders(weightMap, files, where), [
    await sourceDigest(bytesAsSource(index)),
  ]);
}

function checkpoint(
  where: string,
  byName: ReadonlyMap<string, FetchedTensors>,
  fileOf: ReadonlyMap<string, FetchedTensors>,
  indexDigest: readonly string[] = [],
): FetchedCheckpoint {
  return {
    ...checkpointOf(where, fileOf),
    async load(names, onProgress = () => {}, hashed = false) {
      const wanted = new Set(names);
      const digests = hashed ? [...indexDigest] : [];
      for (const [name, file] of byName) {
        const needed = new Set([...wanted].filter((each) => fileOf.get(each) === file));
        const hash = hashed ? startDigest(file.size) : undefined;
        const total = hashed ? file.size : file.sizeOf(needed);
        let received = 0;
        await file.load(
          needed,
          (bytes) => {
            // A digest reads the end of a file twice.
            received = Math.min(total, received + bytes);
            onProgress({ file: name, received, total });
          },
          hash,
        );
        if (hash) digests.push(hash.digest('hex'));
      }
      return digests;
    },
    bytesOf: (name) => byName.get(name)!.bytes,
    close() {
      for (const file of byName.values()) file.bytes = new Uint8Array();
    },
  };
}

async function noWeights(set: Files): Promise<UserError> {
  for (const name of PICKLES) {
    if (!(await set.open(name))) continue;
    const where = pathIn(set.name, name);
    const fault = `has weights in PyTorch's format. ${SINGLE} is required`;
    return new UserError({ where, fault, hint: convertHint(set.name) });
  }
  return missingIn(set, SINGLE, `the weights (or ${INDEX} with its shards)`);
}
