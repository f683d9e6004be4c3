import { Mistakes } from './user-error.ts';

/** Runs independent functions. Throws one UserError with all their errors. */
export function allOf<T>(works: readonly (() => T)[]): T[] {
  const mistakes = new Mistakes();
  let isFine = true;
  const done: T[] = [];
  for (const work of works) {
    try {
      done.push(work());
    } catch (error) {
      mistakes.note(error);
      isFine = false;
    }
  }
  if (isFine) return done;
  throw mistakes.asError();
}

/**
 * Collects items during one turn of the event loop, and passes them on together.
 *
 * @param later calls its argument at the end of the turn
 */
export function batched<Item>(
  onBatch: (items: Item[]) => void,
  later: (flush: () => void) => void,
): (item: Item) => void {
  let waiting: Item[] = [];
  return (item) => {
    waiting.push(item);
    if (waiting.length > 1) return;
    later(() => {
      const items = waiting;
      waiting = [];
      onBatch(items);
    });
  };
}

export function elementCount(shape: readonly number[]): number {
  return shape.reduce((a, b) => a * b, 1);
}

type Numbers = Float32Array | Int32Array | Uint8Array;

export function concatenated(...parts: readonly Int32Array[]): Int32Array {
  return filled(new Int32Array(lengthOf(parts)), parts);
}

/** Takes a list, because there may be too many parts for arguments. */
export function joinedFloats(parts: readonly Float32Array[]): Float32Array {
  return filled(new Float32Array(lengthOf(parts)), parts);
}

export function joinedBytes(parts: readonly Uint8Array[]): Uint8Array {
  return filled(new Uint8Array(lengthOf(parts)), parts);
}

function lengthOf(parts: readonly Numbers[]): number {
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
