import { InvalidFile, type UserError } from '../../support/user-error.ts';
import {
  type AsyncByteSource,
  bytesAsSource,
  type DownloadProgress,
  sourceDigest,
  startDigest,
} from './byte-source.ts';
import { type Checkpoint, convertHint, MAX_INDEX_BYTES, SAFETENSORS, TORCH, Weights } from './checkpoint.ts';
import { FetchedTensors } from './fetched-tensors.ts';
import { type Files, missingIn, pathIn, readFile } from './files.ts';

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
  const { weights, index } = await openWeights(set);
  const { files } = weights;
  const checkpoint = weights.checkpoint();
  const names = [...wanted(checkpoint)].map((name) => [name, checkpoint.info(name).file] as const);
  const digests = hashed && index ? [await sourceDigest(bytesAsSource(index))] : [];
  const parts = [...files].map(([name, file]) => {
    const needed = new Set(names.filter(([, path]) => path === file.path).map(([each]) => each));
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
  return { checkpoint, digests, bytesOf: (name) => files.get(name)!.bytes };
}

/** Opens the weight files and reads their headers. */
async function openWeights(set: Files): Promise<{ weights: Weights<FetchedTensors>; index?: Uint8Array }> {
  const open = (source: AsyncByteSource, name: string) => FetchedTensors.open(source, pathIn(set.name, name));
  const single = await set.open(SAFETENSORS.single);
  if (single) {
    const weights = new Weights<FetchedTensors>(set.name, SAFETENSORS);
    weights.add(SAFETENSORS.single, await open(single, SAFETENSORS.single));
    return { weights };
  }
  const index = await readFile(set, SAFETENSORS.index, MAX_INDEX_BYTES);
  if (!index) throw await noWeights(set);
  const where = pathIn(set.name, SAFETENSORS.index);
  const weights = new Weights<FetchedTensors>(set.name, SAFETENSORS, { bytes: index, where });
  for (const shard of weights.names) {
    const source = await set.open(shard);
    if (!source) throw weights.missing(shard);
    weights.add(shard, await open(source, shard));
  }
  return { weights, index };
}

async function noWeights(set: Files): Promise<UserError> {
  for (const name of [TORCH.single, TORCH.index]) {
    if (!(await set.open(name))) continue;
    const where = pathIn(set.name, name);
    const fault = `has weights in PyTorch's format. ${SAFETENSORS.single} is required`;
    return new InvalidFile({ where, fault, hint: convertHint(set.name) });
  }
  return missingIn(set, SAFETENSORS.single, `the weights (or ${SAFETENSORS.index} with its shards)`);
}
