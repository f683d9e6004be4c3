import type { Expression } from './expression.ts';
import { LANES, loopModule } from './loop-module.ts';

/** Number of elements of each vector per call. Six such vectors fit into a core's cache. */
const ROOM = 4096;

/**
 * A loop over vectors of equal length, four elements at a time, in WebAssembly. Each operation is rounded to 32 bits,
 * as in PyTorch and as with `Math.fround`.
 */
export class VectorLoop<Vector extends string, Scalar extends string> {
  readonly #run: (bytes: number, ...scalars: number[]) => void;
  readonly #scalars: readonly Scalar[];
  /** For each vector, its part of the loop's memory. */
  readonly #parts: readonly { name: Vector; part: Float32Array; changes: boolean }[];

  /** @param build returns the new values of the changed vectors, as functions of the old values */
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

  /** Updates the vectors in place. They must have the same length and not overlap. */
  run(vectors: Readonly<Record<Vector, Float32Array>>, scalars: Readonly<Record<Scalar, number>>): void {
    const numbers = this.#scalars.map((name) => scalars[name]);
    const { length } = vectors[this.#parts[0]!.name];
    for (let start = 0; start < length; start += ROOM) {
      const end = Math.min(start + ROOM, length);
      for (const { name, part } of this.#parts) part.set(vectors[name].subarray(start, end));
      // The last lanes may reach beyond the end. The elements there are computed and ignored.
      this.#run(Float32Array.BYTES_PER_ELEMENT * LANES * Math.ceil((end - start) / LANES), ...numbers);
      for (const { name, part, changes } of this.#parts)
        if (changes) vectors[name].set(part.subarray(0, end - start), start);
    }
  }
}
