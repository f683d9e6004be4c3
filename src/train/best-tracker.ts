import type { BestState } from '../run/trainer-state.ts';

/** Keeps the best evaluation by one metric, with its values. */
export class BestTracker {
  state: BestState | undefined;
  values: Float32Array | undefined;
  readonly #metric: string;
  readonly #sign: number;

  /** `metric` with or without `eval_`. */
  constructor(metric: string, greaterIsBetter: boolean) {
    this.#metric = metric.startsWith('eval_') ? metric : `eval_${metric}`;
    this.#sign = greaterIsBetter ? 1 : -1;
  }

  /** Records an evaluation; returns true if it is the best so far. A score that is NaN or infinite never is. */
  observe(step: number, metrics: Record<string, number>, values: Float32Array): boolean {
    const score = metrics[this.#metric];
    if (score === undefined) throw new Error(`no metric ${this.#metric}`);
    const isBetter = Number.isFinite(score) && (!this.state || this.#sign * (score - this.state.score) > 0);
    if (isBetter) {
      this.state = { step, score, waited: 0, metrics };
      this.values = values.slice();
    } else if (this.state) {
      this.state = { ...this.state, waited: this.state.waited + 1 };
    }
    return isBetter;
  }
}
