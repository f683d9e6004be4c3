import type { Expression } from './expression.ts';
import { LANES, loopModule } from './loop-module.ts';

/** Elements of each vector that are computed in one go: so many of half a dozen vectors fit a core's cache. */
const ROOM = 4096;

/**
 * One pass over vectors of equal length, four elements at a time, by WebAssembly. Each operation is rounded to 32 bits, as PyTorch's
 * are, and as `Math.fround` around it would be.
 */
export class VectorLoop<Vector extends string, Scalar extends string> {
  readonly #run: (bytes: number, ...scalars: number[]) => void;
  readonly #scalars: readonly Scalar[];
  /** Where the loop has a part of each vector. */
  readonly #parts: readonly { name: Vector; part: Float32Array; changes: boolean }[];

  /** @param build what becomes of some of the vectors, each from what all were before */
  constructor(
    vectors: readonly Vector[],
    scalars: readonly Scalar[],
    build: (of: Record<Vector | Scalar, Expression>) => Partial<Record<Vector, Expression>>,
  ) {
    const leaves: [string, Expression][] = [
      ...vectors.map((name): [string, Expression] => [name, { op: 'vector', name }]),
      ...scalars.map((name): [string, Expression] => [name, { op: 'scalar', name }]),
    ];
    const results = build(Object.fromEntries(leaves) as Record<Vector | Scalar, Expression>);
    const bytes = loopModule({
      vectors,
      scalars,
      results: results as Record<string, Expression>,
      room: ROOM,
    });
    const { run, memory } = new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports;
    const { buffer } = memory as WebAssembly.Memory;
    this.#run = run as (bytes: number, ...scalars: number[]) => void;
    this.#scalars = scalars;
    this.#parts = vectors.map((name, i) => ({
      name,
      part: new Float32Array(buffer, i * ROOM * Float32Array.BYTES_PER_ELEMENT, ROOM),
      changes: name in results,
    }));
  }

  /** In place. The vectors have one length, and none overlaps another. */
  run(vectors: Readonly<Record<Vector, Float32Array>>, scalars: Readonly<Record<Scalar, number>>): void {
    const numbers = this.#scalars.map((name) => scalars[name]);
    const { length } = vectors[this.#parts[0].name];
    for (let start = 0; start < length; start += ROOM) {
      const end = Math.min(start + ROOM, length);
      for (const { name, part } of this.#parts) part.set(vectors[name].subarray(start, end));
      // What is behind an end that does not fill the lanes is computed for nothing.
      this.#run(Float32Array.BYTES_PER_ELEMENT * LANES * Math.ceil((end - start) / LANES), ...numbers);
      for (const { name, part, changes } of this.#parts)
        if (changes) vectors[name].set(part.subarray(0, end - start), start);
    }
  }
}
