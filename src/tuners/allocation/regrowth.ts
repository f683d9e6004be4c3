import { columnsOf, rowsOf } from '../low-rank/factor-vectors.ts';
import { norm, orthonormalise, project } from '../low-rank/orthonormal.ts';
import { principalDirections } from '../low-rank/principal-directions.ts';
import type { PrunedModule } from './pruned-module.ts';

/**
 * Minimum |λ| of a triplet whose gradient is used, as a share of the module's largest. Below it, the gradient divided
 * by λ is only rounding noise.
 */
const HEARD = 1e-3;

/** Directions for new triplets of a module, the strongest first. */
interface Seeds {
  left: Float64Array[];
  right: Float64Array[];
}

/**
 * Restarts dropped triplets, so that an allocation can also increase ranks. Their new directions are the leading
 * singular directions of G, the gradient of the loss with respect to the weight.
 *
 * G itself is never computed. The gradients of P and Q contain projections of it, at no cost in time or memory:
 *
 *     ∂C/∂P_i / (s λ_i) = G Q_iᵀ        ∂C/∂Q_i / (s λ_i) = P_iᵀ G
 *
 * They project G onto a few random directions, as in the range finder of Halko, Martinsson and Tropp (2011, algorithm
 * 4.1). The part in the span of P (of Q) is removed. The gradient of the regularizer lies in that span, so it is
 * removed too. The principal directions of the rest are u_1, u_2, … (v_1, v_2, …). The first dropped triplet becomes
 * (u_1, 0, v_1), the second (u_2, 0, v_2), and so on. They are orthonormal to the kept ones and do not change the
 * model. If they score higher than kept triplets at the next allocation, they replace them.
 */
export class Regrowth {
  readonly #modules: readonly PrunedModule[];
  #seeds: Seeds[] = [];

  constructor(modules: readonly PrunedModule[]) {
    this.#modules = modules;
  }

  /**
   * Computes the directions from a gradient. `values` are those before the optimizer's step, at which the gradient was
   * computed.
   */
  observe(values: Float32Array, gradient: Float32Array): void {
    this.#seeds = this.#modules.map((module) => seedsOf(module, values, gradient));
  }

  /**
   * Replaces dropped triplets by the directions of the last {@link observe}.
   *
   * @param keep for each module, 1 for every kept triplet; λ of the others must be 0
   * @returns the indices of all new values, including λ
   */
  plant(values: Float32Array, keep: readonly Uint8Array[]): number[] {
    const seeds = this.#seeds;
    this.#seeds = [];
    return this.#modules.flatMap((module, k) => planted(module, values, keep[k]!, seeds[k]!));
  }
}

function seedsOf(module: PrunedModule, values: Float32Array, gradient: Float32Array): Seeds {
  const { rank, inFeatures, outFeatures, offsets } = module;
  const lambdas = values.subarray(offsets.E, Number(offsets.E) + rank);
  const least = HEARD * lambdas.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const heard = (vectors: Float64Array[]) => {
    vectors.forEach((vector, i) => {
      for (let j = 0; j < vector.length; j++) vector[j]! /= lambdas[i]!;
    });
    return vectors.filter((_, i) => Math.abs(lambdas[i]!) > least);
  };
  const leading = (seen: Float64Array[], span: Float64Array[]) => {
    const basis = orthonormalise(span);
    const scale = Math.max(0, ...seen.map(norm));
    for (const vector of seen) project(vector, basis);
    return principalDirections(seen).flatMap(({ strength, direction }) =>
      strength > ROUNDING * scale ? [direction] : [],
    );
  };
  return {
    left: leading(
      heard(columnsOf(gradient, offsets.B, rank, outFeatures)),
      columnsOf(values, offsets.B, rank, outFeatures),
    ),
    right: leading(
      heard(rowsOf(gradient, offsets.A, rank, inFeatures)),
      rowsOf(values, offsets.A, rank, inFeatures),
    ),
  };
}

/** A remainder of a projection up to this share of the vector is float32 rounding noise. */
const ROUNDING = 1e-5;

function planted(
  { rank, inFeatures, outFeatures, offsets }: PrunedModule,
  values: Float32Array,
  keep: Uint8Array,
  { left, right }: Seeds,
): number[] {
  const isKept = (_: unknown, i: number) => keep[i] === 1;
  const span = (vectors: Float64Array[]) => orthonormalise(vectors.filter(isKept));
  // Orthonormalised again, because the optimizer has changed the kept triplets since.
  const columns = orthonormalise(left, span(columnsOf(values, offsets.B, rank, outFeatures)));
  const rows = orthonormalise(right, span(rowsOf(values, offsets.A, rank, inFeatures)));
  const dropped = [...keep.keys()].filter((i) => keep[i] === 0);
  const count = Math.min(dropped.length, columns.length, rows.length);
  return dropped.slice(0, count).flatMap((component, nth) => {
    const row = Array.from(rows[nth]!, (_, j) => offsets.A + component * inFeatures + j);
    const column = Array.from(columns[nth]!, (_, j) => offsets.B + j * rank + component);
    row.forEach((index, j) => {
      values[index] = rows[nth]![j]!;
    });
    column.forEach((index, j) => {
      values[index] = columns[nth]![j]!;
    });
    return [...row, Number(offsets.E) + component, ...column];
  });
}
