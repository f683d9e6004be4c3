import { InvalidFile, type UserError } from '../../support/user-error.ts';
import { bytesAsSource, type DownloadProgress, sourceDigest, startDigest } from './byte-source.ts';
import {
  type Checkpoint,
  checkpointOf,
  convertHint,
  holders,
  MAX_INDEX_BYTES,
  missingShard,
  parseWeightMap,
  tensorCounter,
} from './checkpoint.ts';
import { FetchedTensors } from './fetched-tensors.ts';
import { type Files, missingIn, pathIn, readFile } from './files.ts';

const ENDING = '.safetensors';
const SINGLE = `model${ENDING}`;
const INDEX = `${SINGLE}.index.json`;
const PICKLES = ['pytorch_model.bin', 'pytorch_model.bin.index.json'];

/** The fetched tensors of a checkpoint. */
export interface FetchedCheckpoint {
  checkpoint: Checkpoint;
  /** The digests of the files, the index's first. Empty unless they are hashed. */
  digests: readonly string[];
  /** The fetched tensors of a file as bytes; `file` is a name without folder. */
  bytesOf(file: string): Uint8Array;
}

/** Called after each part of a file, with the loaded share of all files. */
export type OnFetched = (progress: DownloadProgress, share: number) => void;

/** The files of a checkpoint by name, and the file of each tensor. */
interface TensorFiles {
  byName: ReadonlyMap<string, FetchedTensors>;
  fileOf: ReadonlyMap<string, FetchedTensors>;
  index?: Uint8Array;
}

/**
 * Fetches tensors of `model.safetensors`, or of the shards that its index lists, into memory. The headers are read and
 * checked first.
 *
 * @param wanted returns the names of the tensors to fetch
 * @param options.onProgress called after each part of a file, with the loaded share of all files
 * @param options.hashed whether to read the files as a whole and return their digests
 * @throws UserError if there are no weights, if index and shards disagree, or if a file is damaged
 */
export async function fetchCheckpoint(
  set: Files,
  wanted: (headers: Pick<Checkpoint, 'names' | 'info'>) => Iterable<string>,
  { onProgress, hashed = false }: { onProgress?: OnFetched | undefined; hashed?: boolean } = {},
): Promise<FetchedCheckpoint> {
  const { byName, fileOf, index } = await openFiles(set);
  const checkpoint: Checkpoint = {
    ...checkpointOf(set.name, fileOf),
    close() {
      for (const file of byName.values()) file.bytes = new Uint8Array();
    },
  };
  const names = [...wanted(checkpoint)];
  const digests = hashed && index ? [await sourceDigest(bytesAsSource(index))] : [];
  const parts = [...byName].map(([name, file]) => {
    const needed = new Set(names.filter((each) => fileOf.get(each) === file));
    return { name, file, needed, total: hashed ? file.size : file.sizeOf(needed) };
  });
  const all = parts.reduce((sum, { total }) => sum + total, 0);
  let before = 0;
  for (const { name, file, needed, total } of parts) {
    const hash = hashed ? startDigest(file.size) : undefined;
    let received = 0;
    const onRead = (bytes: number) => {
      // A digest reads the end of a file twice.
      received = Math.min(total, received + bytes);
      onProgress?.({ file: name, received, total }, (before + received) / all);
    };
    await file.load(needed, onRead, hash);
    before += total;
    if (hash) digests.push(hash.digest('hex'));
  }
  return { checkpoint, digests, bytesOf: (name) => byName.get(name)!.bytes };
}

async function openFiles(set: Files): Promise<TensorFiles> {
  const source = await set.open(SINGLE);
  if (source) {
    const file = await FetchedTensors.open(source, pathIn(set.name, SINGLE));
    return { byName: new Map([[SINGLE, file]]), fileOf: new Map(file.names().map((name) => [name, file])) };
  }
  const index = await readFile(set, INDEX, MAX_INDEX_BYTES);
  if (index) return openShards(set, index);
  throw await noWeights(set);
}

async function openShards(set: Files, index: Uint8Array): Promise<TensorFiles> {
  const where = pathIn(set.name, INDEX);
  const weightMap = parseWeightMap(index, ENDING, where);
  const count = tensorCounter(where);
  const byName = new Map<string, FetchedTensors>();
  for (const shard of new Set(weightMap.map(([, name]) => name))) {
    const source = await set.open(shard);
    if (!source) throw missingShard(shard, where);
    const file = await FetchedTensors.open(source, pathIn(set.name, shard));
    count(file);
    byName.set(shard, file);
  }
  return { byName, fileOf: holders(weightMap, byName, where), index };
}

async function noWeights(set: Files): Promise<UserError> {
  for (const name of PICKLES) {
    if (!(await set.open(name))) continue;
    const where = pathIn(set.name, name);
    const fault = `has weights in PyTorch's format. ${SINGLE} is required`;
    return new InvalidFile({ where, fault, hint: convertHint(set.name) });
  }
  return missingIn(set, SINGLE, `the weights (or ${INDEX} with its shards)`);
}
