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
   * @returns whether it is the best so far
   */
  observe(step: number, metrics: Record<string, number>, values: Float32Array): boolean {
    const score = metrics[this.#metric];
    if (score === undefined) throw new Error(`no metric ${this.#metric}`);
    const { state } = this;
    const ahead = state === undefined ? Number.POSITIVE_INFINITY : this.#sign * (score - state.score);
    const isBest = Number.isFinite(score) && ahead > 0;
    if (isBest) {
      this.state = { step, score, waited: 0, metrics };
      this.values = values.slice();
    } else if (state) {
      this.state = { ...state, waited: state.waited + 1 };
    }
    return isBest;
  }
}
