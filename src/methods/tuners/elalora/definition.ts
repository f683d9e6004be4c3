import { z } from 'zod';
import { gatherValues, smallest } from '../../../support/numbers.ts';
import { Averages, componentScores, updateImportance } from '../allocation/importance.ts';
import { prunedModules } from '../allocation/pruned-module.ts';
import { scheduleShape } from '../allocation/schedule.ts';
import { elasticLora, elasticShape } from '../elastic/elastic-lora.ts';
import type { Draw, NewTriplet, RankPolicy } from '../elastic/elastic-run.ts';
import { factorsIn, matrixRows, selectColumns } from '../low-rank/factors.ts';
import type { LowRankTuner } from '../low-rank/low-rank-tuner.ts';
import { dot64, norm } from '../low-rank/orthonormal.ts';

/** Keeps a length above zero. */
const EPSILON = 1e-6;

/**
 * The largest initial λ. It is small enough not to change the model. It is not zero, so that P and Q have gradients.
 */
const LAMBDA = 1e-13;

/**
 * Returns a vector of length 1 without its components along other vectors, as if those were orthonormal.
 *
 * @param drawn standard normal numbers
 */
function besideOthers(drawn: ArrayLike<number>, others: readonly Float64Array[]): Float64Array {
  const vector = Float64Array.from(drawn);
  const along = others.map((other) => dot64(other, vector));
  others.forEach((other, k) => {
    for (let i = 0; i < vector.length; i++) vector[i]! -= along[k]! * other[i]!;
  });
  const length = norm(vector) + EPSILON;
  return vector.map((value) => value / length);
}

const { beta1, beta2 } = scheduleShape;

/** ElaLoRA's settings, with the names and defaults of the released code. */
export const elaLoraConfigSchema = z.strictObject({
  ...elasticShape,
  /** Number of triplets of each module that take part in a move: those with the lowest scores. */
  k: z.int().min(1).default(2),
  /** Smoothing of the sensitivity (moving average). */
  beta1,
  /** Smoothing of the uncertainty (moving average). */
  beta2,
});

type ElaLoraConfig = z.infer<typeof elaLoraConfigSchema>;

/** Removes the least important triplets, and adds triplets to modules whose least important triplets matter most. */
export class ElaLoraPolicy extends Averages implements RankPolicy {
  constructor(
    length: number,
    readonly config: Pick<ElaLoraConfig, 'k' | 'beta1' | 'beta2'>,
    readonly draw: Draw,
  ) {
    super(length);
  }

  afterStep(values: Float32Array, gradient: Float32Array): void {
    const { sensitivity, uncertainty } = this;
    updateImportance({ values, gradient, sensitivity, uncertainty }, this.config);
  }

  decide(count: number, step: number, tuner: LowRankTuner, values: Float32Array) {
    const { score } = this;
    const scores = prunedModules(tuner).map((module) => componentScores(module, score));
    const changes = chooseMoves(scores, this.config.k, count).map(({ removed, added }, k) => {
      const { path, rank, inFeatures, outFeatures } = tuner.modules[k]!;
      const kept = Array.from({ length: rank }, (_, i) => i).filter((i) => !removed.includes(i));
      const { A, E, B } = factorsIn(tuner.layout, values, path);
      const [rows, columns] = [matrixRows(A, rank), selectColumns(B, rank)];
      const [a, b] = [kept.map((i) => rows[i]!), kept.map((i) => columns[i]!)];
      const lambda = Math.min(LAMBDA, smallest(kept.map((i) => Math.abs(E![i]!))));
      const grown: NewTriplet[] = [];
      for (let i = 0; i < added; i++) {
        const row = besideOthers(this.draw(`${path} row ${i}`, step, inFeatures), a);
        const column = besideOthers(this.draw(`${path} column ${i}`, step, outFeatures), b);
        grown.push({ a: row, b: column, lambda });
        a.push(row);
        b.push(column);
      }
      return { kept, added: grown };
    });
    return { changes, scores };
  }

  move(indices: Int32Array): void {
    this.sensitivity = gatherValues(this.sensitivity, indices);
    this.uncertainty = gatherValues(this.uncertainty, indices);
  }
}

/** The triplets that a module loses, and the number that it gains. */
interface Moves {
  removed: number[];
  added: number;
}

/**
 * Chooses the triplets that move (Chang et al., 2025, arXiv 2504.00254, algorithm 1). Each module offers the triplets
 * with its `k` lowest scores, but keeps at least one. The `b` lowest offers are removed. For each of the `b` highest
 * offers, the offering module gains a triplet.
 *
 * @param scores the scores of each module's triplets
 */
export function chooseMoves(scores: readonly Float64Array[], k: number, b: number): Moves[] {
  const offered = scores.flatMap((own, module) =>
    [...own.keys()]
      .sort((i, j) => own[i]! - own[j]!)
      .slice(0, Math.min(k, own.length - 1))
      .map((triplet) => ({ module, triplet, score: own[triplet]! })),
  );
  const ascending = offered.toSorted((x, y) => x.score - y.score);
  const moves = scores.map((): Moves => ({ removed: [], added: 0 }));
  for (const { module, triplet } of ascending.slice(0, b)) moves[module]!.removed.push(triplet);
  for (const { module } of ascending.slice(-Math.min(b, ascending.length))) moves[module]!.added++;
  return moves;
}

/** ElaLoRA (Chang et al., 2025, arXiv 2504.00254): triplets move to the modules where they matter most. */
export const elaLora = elasticLora<ElaLoraConfig, typeof elaLoraConfigSchema>({
  method: 'elalora',
  title: 'ElaLoRA',
  config: elaLoraConfigSchema,
  averages: 2,
  policy: (config, draw, { layout }) => new ElaLoraPolicy(layout.length, config, draw),
});
