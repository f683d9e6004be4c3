export function elementCount(shape: readonly number[]): number {
  return shape.reduce((a, b) => a * b, 1);
}

type Numbers = Float32Array | Int32Array | Uint8Array;

/** The values of an async iterable, in order. */
export async function collect<T>(values: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const value of values) all.push(value);
  return all;
}

export function concatenated(...parts: readonly Int32Array[]): Int32Array {
  return filled(new Int32Array(sumLengths(parts)), parts);
}

/** Takes a list, because there may be too many parts for arguments. */
export function joinedFloats(parts: readonly Float32Array[]): Float32Array {
  return filled(new Float32Array(sumLengths(parts)), parts);
}

export function joinedBytes(parts: readonly Uint8Array[]): Uint8Array {
  return filled(new Uint8Array(sumLengths(parts)), parts);
}

function sumLengths(parts: readonly Numbers[]): number {
  return parts.reduce((length, part) => length + part.length, 0);
}

function filled<Whole extends Numbers>(whole: Whole, parts: readonly Whole[]): Whole {
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** The bytes of an array, without a copy. */
export function viewBytes({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
