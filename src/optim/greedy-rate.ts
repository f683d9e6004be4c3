import { isBetter, type MetricOptions, type MetricSchedule, type MetricState } from './metric-schedule.ts';

const OPTIONS = [
  ...(['mode', 'factor', 'patience', 'threshold', 'threshold_mode', 'cooldown', 'warmup'] as const),
  ...(['min_lr', 'max_lr', 'eps', 'smooth', 'window_size', 'reset_start'] as const),
];

interface State {
  best?: number;
  good: number;
  bad: number;
  /** Remaining evaluations that do not count after a reduction, and after an increase. */
  cooling: number;
  warming: number;
  resetsIn: number;
  recent: number[];
  sum: number;
}

/**
 * Raises the rate while a score improves, and lowers it while it does not: transformers' `GreedyLR` (arXiv 2512.14527).
 */
export class GreedyRate implements MetricSchedule {
  static readonly options = OPTIONS;
  #state: State;
  readonly #options: MetricOptions;
  readonly #initial: number;

  constructor(options: MetricOptions, rate: number) {
    this.#options = options;
    this.#initial = rate;
    this.#state = this.#fresh();
  }

  get state(): MetricState {
    return { ...this.#state } as MetricState;
  }

  set state(state: MetricState) {
    this.#state = { ...state } as unknown as State;
  }

  next(score: number, rate: number): number {
    const { mode, factor = 0.95, patience = 10, threshold = 1e-6, threshold_mode = 'abs' } = this.#options;
    const { cooldown = 0, warmup = 0, min_lr = 1e-3, max_lr = 1, eps = 1e-8, smooth = false } = this.#options;
    const state = this.#state;
    const current = smooth ? this.#smoothed(score) : score;
    if (state.cooling > 0 || state.warming > 0) {
      if (state.cooling > 0) state.cooling--;
      else state.warming--;
      state.good = state.bad = 0;
      return rate;
    }
    if (isBetter(current, state.best, { mode, threshold, threshold_mode })) {
      state.best = current;
      state.bad = 0;
      state.good++;
    } else {
      state.good = 0;
      state.bad++;
    }
    if (state.good > patience) {
      Object.assign(state, { good: 0, warming: warmup, resetsIn: this.#options.reset_start ?? RESET });
      const higher = Math.min(rate / factor, max_lr);
      return higher - rate > eps ? higher : rate;
    }
    if (state.bad <= patience) return rate;
    Object.assign(state, { bad: 0, cooling: cooldown });
    const lower = Math.max(rate * factor, min_lr);
    const next = rate - lower > eps ? lower : rate;
    if (next > min_lr || --state.resetsIn > 0) return next;
    this.#state = { ...this.#fresh(), cooling: cooldown };
    return this.#initial;
  }

  #smoothed(score: number): number {
    const state = this.#state;
    state.recent = [...state.recent, score];
    state.sum += score;
    if (state.recent.length > (this.#options.window_size ?? 50)) state.sum -= state.recent.shift() as number;
    return state.sum / state.recent.length;
  }

  #fresh(): State {
    const resetsIn = this.#options.reset_start ?? RESET;
    return { good: 0, bad: 0, cooling: 0, warming: 0, resetsIn, recent: [], sum: 0 };
  }
}

/** The default of `reset_start`. */
const RESET = 500;
