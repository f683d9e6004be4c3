export function elementCount(shape: readonly number[]): number {
  return shape.reduce((a, b) => a * b, 1);
}

type Numbers = Float32Array | Int32Array | Uint8Array;

/** Number of values after which a source of values that never waits lets others work, such as a timer that aborts. */
const UNINTERRUPTED = 1000;

/**
 * The values of an async iterable, in order.
 *
 * @throws the signal's reason when it is aborted, also while a value is awaited
 */
export async function collect<T>(values: AsyncIterable<T>, signal?: AbortSignal): Promise<T[]> {
  const all: T[] = [];
  if (!signal) {
    for await (const value of values) all.push(value);
    return all;
  }
  signal.throwIfAborted();
  const iterator = values[Symbol.asyncIterator]();
  let stop = () => {};
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason);
    signal.addEventListener('abort', stop);
  });
  try {
    for (;;) {
      const next = await Promise.race([iterator.next(), aborted]);
      if (next.done) return all;
      all.push(next.value);
      if (all.length % UNINTERRUPTED === 0) await new Promise((go) => setTimeout(go));
    }
  } finally {
    signal.removeEventListener('abort', stop);
    // Not awaited: a generator that is waiting cannot return yet.
    if (signal.aborted) void iterator.return?.()?.catch(() => {});
  }
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
