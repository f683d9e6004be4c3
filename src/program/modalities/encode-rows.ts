import type { Encoding } from '../../input/text/encoding.ts';
import { ALONE, type Communicator } from '../parallel/communicator.ts';
import type { PartRow } from './modality.ts';

/** Minimum number of rows to divide among processes. For fewer rows, the exchange takes longer than encoding. */
const MIN_ROWS = 5000;

/** Encodes texts or pairs. Every process of the run encodes a part of them if there are many. */
export function encodeRows(
  rows: readonly PartRow[],
  encode: (row: PartRow) => Encoding,
  communicator: Communicator = ALONE,
): Encoding[] {
  const { rank, size } = communicator;
  if (size === 1 || rows.length < MIN_ROWS) return rows.map(encode);
  // A process that fails still makes the collective call, with an empty array.
  let failure: { error: unknown } | undefined;
  let encodings: Encoding[] = [];
  try {
    encodings = rows.filter((_, i) => i % size === rank).map(encode);
  } catch (error) {
    failure = { error };
  }
  const all = communicator.gather(pack(encodings)).map(unpack);
  if (failure) throw failure.error;
  return rows.map((_, i) => {
    const encoding = all[i % size]![Math.floor(i / size)];
    if (!encoding) throw new Error(`process ${i % size} could not encode its rows`);
    return encoding;
  });
}

/**
 * Packs encodings as integers: first their number; then one integer per encoding, twice its length, plus one if it was
 * truncated; then all ids; then all types.
 */
function pack(encodings: readonly Encoding[]): Uint8Array {
  const tokens = encodings.reduce((sum, { inputIds }) => sum + inputIds.length, 0);
  const words = new Int32Array(1 + encodings.length + 2 * tokens);
  words[0] = encodings.length;
  let at = 1 + encodings.length;
  for (const [i, { inputIds, tokenTypeIds, truncated }] of encodings.entries()) {
    words[1 + i] = 2 * inputIds.length + Number(truncated);
    words.set(inputIds, at);
    words.set(tokenTypeIds, at + tokens);
    at += inputIds.length;
  }
  return new Uint8Array(words.buffer);
}

function unpack(bytes: Uint8Array): Encoding[] {
  const words = new Int32Array(bytes.slice().buffer);
  const [count] = words;
  const tokens = (words.length - 1 - count!) / 2;
  let at = 1 + count!;
  return Array.from(words.subarray(1, at), (word) => {
    const end = at + (word >> 1);
    const inputIds = words.subarray(at, end);
    const tokenTypeIds = words.subarray(at + tokens, end + tokens);
    at = end;
    return { inputIds, tokenTypeIds, truncated: word % 2 === 1 };
  });
}
