import type { LinearModule } from '../../../models/nn/network.ts';
import { Random } from '../../../support/random.ts';
import { norm, principalDirections, project } from '../low-rank/orthonormal.ts';

/** The weight W [outFeatures, inFeatures] of a linear module, for products with vectors in 64 bits. */
export class WeightMatrix {
  readonly rows: number;
  readonly columns: number;
  readonly #data: Float32Array;
  readonly #transposed: boolean;

  /** @param data as the checkpoint stores it */
  constructor({ outFeatures, inFeatures, transposed = false }: LinearModule, data: Float32Array) {
    this.rows = outFeatures;
    this.columns = inFeatures;
    this.#data = data;
    this.#transposed = transposed;
  }

  /** W v: [rows] */
  times(v: Float64Array): Float64Array {
    return this.#transposed ? combined(this.#data, v, this.rows) : products(this.#data, v, this.rows);
  }

  /** Wᵀ u: [columns] */
  turnedTimes(u: Float64Array): Float64Array {
    return this.#transposed ? products(this.#data, u, this.columns) : combined(this.#data, u, this.columns);
  }

  /** The Euclidean length of each row. */
  norms(): Float64Array {
    const squares = new Float64Array(this.rows);
    for (let i = 0; i < this.#data.length; i++) {
      const row = this.#transposed ? i % this.rows : Math.floor(i / this.columns);
      squares[row]! += this.#data[i]! * this.#data[i]!;
    }
    return squares.map(Math.sqrt);
  }
}

/** The product of each stored row with a vector. */
function products(data: Float32Array, vector: Float64Array, count: number): Float64Array {
  const width = vector.length;
  return Float64Array.from({ length: count }, (_, row) => {
    let sum = 0;
    for (let i = 0; i < width; i++) sum += data[row * width + i]! * vector[i]!;
    return sum;
  });
}

/** The sum of the stored rows, weighted by the elements of a vector. */
function combined(data: Float32Array, vector: Float64Array, width: number): Float64Array {
  const sum = new Float64Array(width);
  vector.forEach((factor, row) => {
    for (let i = 0; i < width; i++) sum[i]! += factor * data[row * width + i]!;
  });
  return sum;
}

/** The name and shape of a module's weight, as the checkpoint stores it. */
export function readWeight({ path, inFeatures, outFeatures, transposed }: LinearModule): [string, number[]] {
  return [`${path}.weight`, transposed ? [inFeatures, outFeatures] : [outFeatures, inFeatures]];
}

/** A singular value and its unit vectors: W v = strength u. */
export interface SingularTriplet {
  strength: number;
  /** [rows] */
  u: Float64Array;
  /** [columns] */
  v: Float64Array;
}

/** Relative residual below the rounding error of float32. */
const ACCURACY = 1e-8;
/**
 * A direction shorter than this share of the largest is rounding error. The Krylov space is then exhausted, and a
 * random direction starts a new one.
 */
const EXHAUSTED = 1e-12;

/**
 * Computes the largest singular triplets of a matrix, in descending order. Uses the bidiagonalization of Golub and
 * Kahan (1965) with full reorthogonalization. It ends when the residuals of all requested triplets reach rounding
 * error.
 *
 * @param count at most the smaller side
 */
export function topSingular(matrix: WeightMatrix, count: number): SingularTriplet[] {
  const { rows, columns } = matrix;
  const side = Math.min(rows, columns);
  const random = new Random(0, 'top singular');
  const [us, vs, diagonal, beside]: [Float64Array[], Float64Array[], number[], number[]] = [[], [], [], []];
  // With more columns than rows, the search starts inside the row space. A direction that W maps to 0 would waste one
  // of the few vectors that must span it.
  const start = () => {
    const row = columns > rows && unit(beyond(matrix.turnedTimes(fresh(random, rows, us)), vs), 0);
    return row ? row.vector : fresh(random, columns, vs);
  };
  let next = start();
  for (let checkAt = Math.min(side, 2 * count + 20); ; checkAt = Math.min(side, Math.ceil(1.5 * checkAt))) {
    while (us.length < checkAt) {
      vs.push(next);
      const scale = Math.max(EXHAUSTED, diagonal[0] ?? 0);
      const u = unit(beyond(matrix.times(next), us), EXHAUSTED * scale) ?? {
        length: 0,
        vector: fresh(random, rows, us),
      };
      us.push(u.vector);
      diagonal.push(u.length);
      const v = unit(beyond(matrix.turnedTimes(u.vector), vs), EXHAUSTED * scale);
      beside.push(v?.length ?? 0);
      next = v?.vector ?? start();
    }
    const triplets = principalDirections(bidiagonal(diagonal, beside)).slice(0, count);
    const last = us.length - 1;
    const isDone = triplets.every(
      // The residual is the left vector's last element times the next off-diagonal element.
      ({ strength, direction }) =>
        Math.abs(diagonal[last]! * direction[last]! * beside[last]!) <= ACCURACY * strength * strength,
    );
    if (isDone || us.length === side)
      return triplets.map(({ direction }) => extractTriplet(matrix, vs, direction));
  }
}

/** The matrix B in W V = U B, with `diagonal` on the diagonal and `beside` above it. */
function bidiagonal(diagonal: readonly number[], beside: readonly number[]): Float64Array[] {
  return diagonal.map((value, i) => {
    const row = new Float64Array(diagonal.length);
    row[i] = value;
    if (i + 1 < row.length) row[i + 1] = beside[i]!;
    return row;
  });
}

function extractTriplet(
  matrix: WeightMatrix,
  vs: readonly Float64Array[],
  direction: Float64Array,
): SingularTriplet {
  const v = new Float64Array(matrix.columns);
  vs.forEach((axis, i) => {
    for (let j = 0; j < v.length; j++) v[j]! += direction[i]! * axis[j]!;
  });
  const u = matrix.times(v);
  const strength = norm(u);
  return { strength, u: strength > 0 ? u.map((x) => x / strength) : u, v };
}

/** Normalizes a vector. Returns undefined if its length does not exceed `least`. */
function unit(vector: Float64Array, least: number): { length: number; vector: Float64Array } | undefined {
  const length = norm(vector);
  return length > least ? { length, vector: vector.map((x) => x / length) } : undefined;
}

/** A random unit vector that is orthogonal to the others. */
function fresh(random: Random, length: number, others: readonly Float64Array[]): Float64Array {
  const vector = beyond(Float64Array.from(random.normals(length, 1)), others);
  const size = norm(vector);
  return size > 0 ? vector.map((x) => x / size) : vector;
}

/** Removes a vector's components along orthonormal vectors. */
function beyond(vector: Float64Array, basis: readonly Float64Array[]): Float64Array {
  project(vector, basis);
  return vector;
}
