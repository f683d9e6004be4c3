import type { Hash } from '../../support/sha256.ts';
import { type AsyncByteSource, chunksOf, digestRanges } from './byte-source.ts';
import {
  LENGTH_BYTES,
  parseSafetensorsHeader,
  type SafetensorsHeader,
  SafetensorsTensors,
  safetensorsDataStart,
  type TensorInfo,
} from './safetensors.ts';

/** Size of the widest element. Tensors that are aligned in the file stay aligned in memory. */
const ALIGNMENT = 8;

/** Bytes [begin, end) of a file, and their position in memory. */
interface Run {
  begin: number;
  end: number;
  at: number;
}

/** A remote safetensors file. Its header is in memory, and requested tensors are loaded into one buffer. */
export class FetchedTensors extends SafetensorsTensors {
  readonly #source: AsyncByteSource;
  readonly #places = new Map<string, TensorInfo>();
  /** The loaded tensors. {@link info} says where each of them is. */
  bytes = new Uint8Array();

  private constructor(source: AsyncByteSource, header: SafetensorsHeader, path: string) {
    super(header, path, (begin, end) => this.bytes.slice(begin, end));
    this.#source = source;
  }

  /** @throws UserError for a file that is truncated or has an invalid header */
  static async open(source: AsyncByteSource, path: string): Promise<FetchedTensors> {
    const start = await source.read(0, Math.min(LENGTH_BYTES, source.size));
    const bytes = await source.read(0, safetensorsDataStart(start, source.size, path));
    return new FetchedTensors(source, parseSafetensorsHeader(bytes, source.size, path), path);
  }

  /** Describes a tensor. For a loaded tensor, the description contains its position in {@link bytes}. */
  override info(name: string): TensorInfo {
    return this.#places.get(name) ?? super.info(name);
  }

  get size(): number {
    return this.#source.size;
  }

  /** Frees the memory. */
  close(): void {
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
    const ranges = hash ? digestRanges(this.size) : runs.flatMap(({ begin, end }) => chunksOf(begin, end));
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
