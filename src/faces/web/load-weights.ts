import {
  type ByteSource,
  bytesAsSource,
  type DownloadProgress,
  digestRanges,
  sourceDigest,
  splitRange,
  startDigest,
} from '../../input/formats/byte-source.ts';
import {
  type Checkpoint,
  convertHint,
  MAX_INDEX_BYTES,
  SAFETENSORS,
  TORCH,
  Weights,
} from '../../input/formats/checkpoint.ts';
import { type Files, hasFile, missingIn, pathIn, readFile } from '../../input/formats/files.ts';
import {
  LENGTH_BYTES,
  parseSafetensorsHeader,
  SafetensorsFile,
  type SafetensorsHeader,
  safetensorsDataStart,
  type TensorInfo,
} from '../../input/formats/safetensors.ts';
import { betweenTurns, type Engine } from '../../program/engine.ts';
import type { TaskModel } from '../../program/objectives/task-model.ts';
import { webEngine } from '../../program/web-engine.ts';
import type { LoadedModel } from '../../program/weight-memory.ts';
import type { Hash } from '../../support/sha256.ts';
import { InvalidFile, type UserError } from '../../support/user-error.ts';
import { bindModel, newModel, readNames } from '../../use/trained/bind-model.ts';
import type { RunsOn } from './page-options.ts';

/** A model with weights in memory, and the engine that runs it. */
export interface PageModel {
  model: LoadedModel;
  engine: Engine;
  /** Digests of the weight files, if requested. */
  digests: readonly string[];
}

/**
 * Loads the tensors of a checkpoint that a model needs.
 *
 * @param onProgress called after each part of a file, with the loaded share of all files
 * @param hashed whether to read the files as a whole, and return their digests
 * @throws UserError for a checkpoint that is missing or damaged, or does not fit the model
 */
export async function loadWeights(
  model: TaskModel,
  files: Files,
  device: RunsOn,
  onProgress?: OnFetched,
  hashed = false,
): Promise<PageModel> {
  const { checkpoint, digests, bytesOf } = await fetchCheckpoint(
    files,
    (headers) => readNames(model, headers, files.name),
    { onProgress, hashed },
  );
  const bound = bindModel(model, checkpoint, files.name, () => '');
  return { ...runnable(bound, device, bytesOf), digests };
}

/** Like {@link loadWeights}, but with new weights. */
export function newWeights(model: TaskModel, device: RunsOn): PageModel {
  return { ...runnable(newModel(model, ''), device, () => new Uint8Array()), digests: [] };
}

function runnable(model: LoadedModel, device: RunsOn, weights: (file: string) => Uint8Array) {
  return { model, engine: betweenTurns(webEngine(model, { ...device, weights })) };
}

/** The fetched tensors of a checkpoint. */
interface FetchedCheckpoint {
  checkpoint: Checkpoint;
  /** The digests of the files, the index's first. Empty unless they are hashed. */
  digests: readonly string[];
  /** The fetched tensors of a file as bytes; `file` is a name without folder. */
  bytesOf(file: string): Uint8Array;
}

/** Called after each part of a file, with the loaded share of all files. */
type OnFetched = (progress: DownloadProgress, share: number) => void;

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
  const digests = hashed && index ? [await sourceDigest(bytesAsSource(index, SAFETENSORS.index))] : [];
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
  const single = await set.open(SAFETENSORS.single);
  if (single) {
    const weights = new Weights<FetchedTensors>(set.name, SAFETENSORS);
    weights.add(SAFETENSORS.single, await FetchedTensors.fetch(single));
    return { weights };
  }
  const index = await readFile(set, SAFETENSORS.index, MAX_INDEX_BYTES);
  if (!index) throw await noWeights(set);
  const where = pathIn(set.name, SAFETENSORS.index);
  const weights = new Weights<FetchedTensors>(set.name, SAFETENSORS, { bytes: index, where });
  for (const shard of weights.names) {
    const source = await set.open(shard);
    if (!source) throw weights.missing(shard);
    weights.add(shard, await FetchedTensors.fetch(source));
  }
  return { weights, index };
}

async function noWeights(set: Files): Promise<UserError> {
  for (const name of [TORCH.single, TORCH.index]) {
    if (!(await hasFile(set, name))) continue;
    const where = pathIn(set.name, name);
    const fault = `has weights in PyTorch's format. ${SAFETENSORS.single} is required`;
    return new InvalidFile({ where, fault, hint: convertHint(set.name) });
  }
  return missingIn(set, SAFETENSORS.single, `the weights (or ${SAFETENSORS.index} with its shards)`);
}

/** Size of the widest element. Tensors that are aligned in the file stay aligned in memory. */
const ALIGNMENT = 8;

/** Bytes [begin, end) of a file, and their position in memory. */
interface Run {
  begin: number;
  end: number;
  at: number;
}

/** A remote safetensors file. Its header is in memory, and requested tensors are loaded into one buffer. */
class FetchedTensors extends SafetensorsFile {
  readonly #source: ByteSource;
  readonly #places = new Map<string, TensorInfo>();
  /** The loaded tensors. {@link info} says where each of them is. */
  bytes = new Uint8Array();

  private constructor(source: ByteSource, header: SafetensorsHeader) {
    const loaded = (begin: number, end: number) => this.bytes.slice(begin, end);
    super(header, { path: source.path, size: source.size, read: loaded, close() {} });
    this.#source = source;
  }

  /** @throws UserError for a file that is truncated or has an invalid header */
  static async fetch(source: ByteSource): Promise<FetchedTensors> {
    const { path } = source;
    const start = await source.read(0, Math.min(LENGTH_BYTES, source.size));
    const bytes = await source.read(0, safetensorsDataStart(start, source.size, path));
    return new FetchedTensors(source, parseSafetensorsHeader(bytes, source.size, path));
  }

  /** Describes a tensor. For a loaded tensor, the description contains its position in {@link bytes}. */
  override info(name: string): TensorInfo {
    return this.#places.get(name) ?? super.info(name);
  }

  get size(): number {
    return this.#source.size;
  }

  /** Frees the memory. */
  override close(): void {
    this.bytes = new Uint8Array();
  }

  /** The total bytes of some tensors. */
  sizeOf(names: Iterable<string>): number {
    return [...new Set(names)].reduce((sum, name) => sum + super.info(name).end - super.info(name).begin, 0);
  }

  /**
   * Loads tensors into memory and replaces the previously loaded ones.
   *
   * @param onRead called with the size of every chunk in bytes
   * @param hash if given, all of the file is read and hashed
   */
  async load(names: ReadonlySet<string>, onRead: (bytes: number) => void, hash?: Hash): Promise<void> {
    const runs: Run[] = [];
    this.#places.clear();
    let length = 0;
    for (const name of this.names().filter((each) => names.has(each))) {
      const info = super.info(name);
      let run = runs.at(-1);
      if (!run || run.end !== info.begin) {
        length = Math.ceil(length / ALIGNMENT) * ALIGNMENT + (info.begin % ALIGNMENT);
        run = { begin: info.begin, end: info.begin, at: length };
        runs.push(run);
      }
      run.end = info.end;
      const begin = run.at + info.begin - run.begin;
      length = begin + info.end - info.begin;
      this.#places.set(name, { ...info, begin, end: length });
    }
    this.bytes = new Uint8Array(length);
    const ranges = hash ? digestRanges(this.size) : runs.flatMap(({ begin, end }) => splitRange(begin, end));
    for (const [from, to] of ranges) {
      const chunk = await this.#source.read(from, to);
      hash?.update(chunk);
      for (const run of runs) {
        const [begin, end] = [Math.max(run.begin, from), Math.min(run.end, to)];
        if (begin < end) this.bytes.set(chunk.subarray(begin - from, end - from), run.at + begin - run.begin);
      }
      onRead(chunk.length);
    }
  }
}
