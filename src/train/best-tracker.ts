import type { BestState } from '../run/trainer-state.ts';

/** Keeps the trained values of the best evaluation by one metric. */
export class BestTracker {
  state: BestState | undefined;
  values: Float32Array | undefined;
  readonly #metric: string;
  readonly #sign: number;

  /** @param metric name with or without `eval_` */
  constructor(metric: string, greaterIsBetter: boolean) {
    this.#metric = metric.startsWith('eval_') ? metric : `eval_${metric}`;
    this.#sign = greaterIsBetter ? 1 : -1;
  }

  /**
   * Records an evaluation. A score that is NaN or infinite is never the best.
   *
   * @param margin a later evaluation replaces the best one if it is worse by no more than this
   * @returns whether it is the best so far, and whether its values are kept
   */
  observe(
    step: number,
    metrics: Record<string, number>,
    values: Float32Array,
    margin = 0,
  ): { isBest: boolean; isKept: boolean } {
    const score = metrics[this.#metric];
    if (score === undefined) throw new Error(`no metric ${this.#metric}`);
    const { state } = this;
    const top = state?.top ?? state?.score;
    const ahead = top === undefined ? Number.POSITIVE_INFINITY : this.#sign * (score - top);
    const isBest = Number.isFinite(score) && ahead > 0;
    const isKept = isBest || (Number.isFinite(score) && margin > 0 && ahead >= -margin);
    const waited = isBest ? 0 : (state?.waited ?? 0) + 1;
    if (isKept) {
      this.state = { step, score, waited, metrics, ...(!isBest && { top }) };
      this.values = values.slice();
    } else if (state) {
      this.state = { ...state, waited };
    }
    return { isBest, isKept };
  }
}
