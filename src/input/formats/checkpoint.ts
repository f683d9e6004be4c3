import { InvalidFile, type UserError } from '../../support/user-error.ts';
import { parseBoundedJson } from './bounded-json.ts';
import { excerpt, excerptName } from './excerpt.ts';
import { type TensorFile, type TensorInfo, unknownTensor } from './safetensors.ts';

/** Maximum size of an index. It has about 100 bytes per tensor, and the largest models have about 100,000 tensors. */
export const MAX_INDEX_BYTES = 32 * 2 ** 20;
/** Each tensor is two JSON values: a name and a file. The metadata has a few more. */
const JSON_LIMITS = { depth: 8, values: 2 ** 20 };
/** Maximum number of shards, because all are opened. The largest models have about 200. */
const MAX_SHARDS = 1024;
/** Maximum number of tensors in all shards. The largest models have about 100,000. */
const MAX_TENSORS = 2 ** 18;

/** Names of the weight files of a format: a single file, or an index that names shards. */
export interface WeightFormat {
  single: string;
  index: string;
  /** The file name extension of shards. */
  ending: string;
}

export const SAFETENSORS: WeightFormat = {
  single: 'model.safetensors',
  index: 'model.safetensors.index.json',
  ending: '.safetensors',
};
export const TORCH: WeightFormat = {
  single: 'pytorch_model.bin',
  index: 'pytorch_model.bin.index.json',
  ending: '.bin',
};

/** The file name of each tensor. */
type WeightMap = [tensor: string, shard: string][];

/**
 * Parses the index of a sharded checkpoint. The index names the file of each tensor, in the same folder.
 *
 * @param ending the required file name extension
 * @param where the index's name in messages
 * @throws UserError for an invalid index, and for too many files
 */
function parseWeightMap(bytes: Uint8Array, ending: string, where: string): WeightMap {
  const index = parseBoundedJson(bytes, JSON_LIMITS, where) as { weight_map?: unknown } | null;
  const map = index?.weight_map;
  if (typeof map !== 'object' || map === null || Array.isArray(map)) {
    throw new InvalidFile({
      where,
      fault:
        map === undefined ? 'has no weight_map' : `has a weight_map that is not an object: ${excerpt(map)}`,
    });
  }
  const entries = Object.entries(map).map(([name, shard]): [string, string] => {
    if (isPlainFileName(shard, ending)) return [name, shard];
    const expected = `the name of a ${ending} file in the same folder`;
    throw new InvalidFile({
      where,
      key: `weight_map: ${excerptName(name)}`,
      expected,
      got: excerpt(shard),
    });
  });
  const { size } = new Set(entries.map(([, shard]) => shard));
  if (size <= MAX_SHARDS) return entries;
  throw new InvalidFile({ where, fault: `names ${size} shards, more than the maximum of ${MAX_SHARDS}` });
}

/**
 * Whether a name is a plain file name, which stays in the folder: it has no separators of any system, and no
 * drive letter. `..` is excluded because it lacks the extension.
 */
function isPlainFileName(name: unknown, ending: string): name is string {
  return typeof name === 'string' && /^[^/\\:\0]+$/.test(name) && name.endsWith(ending) && name !== ending;
}

/** The tensors of a model, from one or several files. Close it after use. */
export interface Checkpoint {
  names(): string[];
  /**
   * Describes a tensor, for mapping it into memory. `file` is the real path, because a Hugging Face cache
   * consists of symlinks. Throws a UserError for an unknown name, and if the tensor's elements are not
   * contiguous.
   */
  info(name: string): Omit<TensorInfo, 'axes'> & { file: string; axes?: readonly number[] };
  /** Like {@link TensorFile.readFloat32}. Also reads tensors with elements that are not contiguous. */
  readFloat32(name: string, start?: number, end?: number): Float32Array;
  close(): void;
}

/**
 * The weights of a model folder: a single file, or the shards that an index lists. Open the files
 * with these {@link names}, and add them.
 */
export class Weights<File extends TensorFile> {
  readonly names: readonly string[];
  readonly files = new Map<string, File>();
  readonly #folder: string;
  readonly #index: { map: WeightMap; where: string } | undefined;
  #tensors = 0;

  /**
   * @param folder its name in messages
   * @param index the content of the index if the weights are sharded, and its name in messages
   * @throws UserError for an invalid index, and for too many files
   */
  constructor(
    folder: string,
    { single, ending }: WeightFormat,
    index?: { bytes: Uint8Array; where: string },
  ) {
    this.#folder = folder;
    this.#index = index && { map: parseWeightMap(index.bytes, ending, index.where), where: index.where };
    this.names = this.#index ? [...new Set(this.#index.map.map(([, shard]) => shard))] : [single];
  }

  /** The UserError for a shard that does not exist. */
  missing(shard: string): UserError {
    return new InvalidFile({
      where: this.#index?.where,
      fault: `names the shard ${excerptName(shard)}, which is missing`,
      hint: 'Download the missing file.',
    });
  }

  /** @throws UserError for too many tensors in all shards */
  add(name: string, file: File): void {
    this.files.set(name, file);
    this.#tensors += file.names().length;
    if (!this.#index || this.#tensors <= MAX_TENSORS) return;
    const { where } = this.#index;
    throw new InvalidFile({ where, fault: `has shards with more than ${MAX_TENSORS} tensors` });
  }

  close(): void {
    for (const file of this.files.values()) file.close();
  }

  /**
   * The tensors of all files, which have been added.
   *
   * @throws UserError if a file lacks a tensor that the index assigns to it
   */
  checkpoint(): Checkpoint {
    const fileOf = this.#mapTensors();
    const find = (name: string) => {
      const file = fileOf.get(name);
      if (file) return file;
      throw unknownTensor(name, [...fileOf.keys()], this.#folder);
    };
    return {
      names: () => [...fileOf.keys()],
      info: (name) => {
        const file = find(name);
        const { axes, ...info } = file.info(name);
        if (axes !== 'scattered') return { ...info, ...(axes && { axes }), file: file.path };
        throw new InvalidFile({
          where: `${file.path}: tensor ${excerptName(name)}`,
          fault: 'is not contiguous, such as a slice',
          hint: convertHint(this.#folder),
        });
      },
      readFloat32: (name, start, end) => find(name).readFloat32(name, start, end),
      close: () => this.close(),
    };
  }

  /** The file of each tensor. */
  #mapTensors(): Map<string, File> {
    if (!this.#index)
      return new Map([...this.files.values()].flatMap((file) => file.names().map((name) => [name, file])));
    const { map, where } = this.#index;
    return new Map(
      map.map(([name, shard]) => {
        const file = this.files.get(shard)!;
        if (file.has(name)) return [name, file];
        throw new InvalidFile({
          where,
          fault: `puts tensor ${excerptName(name)} into ${excerptName(shard)}, which does not contain it`,
          hint: 'Download the checkpoint again.',
        });
      }),
    );
  }
}

/** Describes how to convert a folder's checkpoint to a format that every program reads. */
export function convertHint(folder: string): string {
  const convert = `from transformers import AutoModel; AutoModel.from_pretrained('${folder}').save_pretrained('converted')`;
  return `Convert the checkpoint once: python -c "${convert}"`;
}
