import { type Communicator, decode, encode } from './communicator.ts';

/**
 * Distributes pieces of work over the processes. Every process gets all results, in the order of the work. The pieces
 * are dealt round-robin. If they are sorted by size, all processes finish at about the same time.
 */
async function deal<T>(
  communicator: Communicator,
  count: number,
  work: (piece: number) => Promise<T>,
  { pack, unpack }: { pack(results: T[]): Uint8Array; unpack(bytes: Uint8Array): T[] },
): Promise<T[]> {
  const { rank, size } = communicator;
  const dealt: T[] = [];
  for (let piece = rank; piece < count; piece += size) dealt.push(await work(piece));
  if (size === 1) return dealt;
  const byRank = communicator.gather(pack(dealt)).map(unpack);
  return Array.from({ length: count }, (_, piece) => byRank[piece % size]![Math.floor(piece / size)]!);
}

/** {@link deal} for results that are vectors of numbers. */
export function dealNumbers(
  communicator: Communicator,
  count: number,
  work: (piece: number) => Promise<Float32Array>,
): Promise<Float32Array[]> {
  return deal(communicator, count, work, { pack: packNumbers, unpack: unpackNumbers });
}

/** {@link deal} for results that are JSON values. */
export function dealJson<T>(
  communicator: Communicator,
  count: number,
  work: (piece: number) => Promise<T>,
): Promise<T[]> {
  return deal(communicator, count, work, { pack: encode, unpack: (bytes) => decode(bytes) as T[] });
}

/** Encodes the number of vectors, their lengths, and the vectors. Every number takes four bytes. */
function packNumbers(vectors: readonly Float32Array[]): Uint8Array {
  const lengths = Int32Array.from([vectors.length, ...vectors.map(({ length }) => length)]);
  const bytes = new Uint8Array(lengths.byteLength + 4 * lengths.subarray(1).reduce((a, b) => a + b, 0));
  bytes.set(new Uint8Array(lengths.buffer));
  let at = lengths.byteLength;
  for (const vector of vectors) {
    bytes.set(new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength), at);
    at += vector.byteLength;
  }
  return bytes;
}

function unpackNumbers(bytes: Uint8Array): Float32Array[] {
  const { buffer } = bytes.slice();
  const [count] = new Int32Array(buffer, 0, 1);
  let at = 4 * (1 + count!);
  return Array.from(new Int32Array(buffer, 4, count), (length) => {
    const vector = new Float32Array(buffer, at, length);
    at += vector.byteLength;
    return vector;
  });
}

/** Some consecutive rows of a batch. */
export interface RowRange {
  start: number;
  /** The end of the rows (exclusive). */
  end: number;
}

/** The rows of a process. The numbers of rows differ by at most one between processes. */
export function findRows({ rank, size }: Communicator, count: number): RowRange {
  const before = (process: number) => process * Math.floor(count / size) + Math.min(process, count % size);
  return { start: before(rank), end: before(rank + 1) };
}
