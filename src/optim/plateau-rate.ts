import { isBetter, type MetricOptions, type MetricSchedule, type MetricState } from './metric-schedule.ts';

const OPTIONS = [
  ...(['mode', 'factor', 'patience', 'threshold', 'threshold_mode', 'cooldown'] as const),
  ...(['min_lr', 'eps'] as const),
];

/** Lowers the rate when a score stops improving: `torch.optim.lr_scheduler.ReduceLROnPlateau`. */
export class PlateauRate implements MetricSchedule {
  static readonly options = OPTIONS;
  state: MetricState = { bad: 0, cooling: 0 };
  readonly #options: MetricOptions;

  constructor(options: MetricOptions) {
    this.#options = options;
  }

  next(score: number, rate: number): number {
    const { mode, factor = 0.1, patience = 10, threshold = 1e-4, threshold_mode = 'rel' } = this.#options;
    const { cooldown = 0, min_lr = 0, eps = 1e-8 } = this.#options;
    const state = { ...this.state } as { best?: number; bad: number; cooling: number };
    if (isBetter(score, state.best, { mode, threshold, threshold_mode })) {
      state.best = score;
      state.bad = 0;
    } else state.bad++;
    if (state.cooling > 0) {
      state.cooling--;
      state.bad = 0;
    }
    const isOver = state.bad > patience;
    if (isOver) Object.assign(state, { bad: 0, cooling: cooldown });
    this.state = state as MetricState;
    const lower = Math.max(rate * factor, min_lr);
    return isOver && rate - lower > eps ? lower : rate;
  }
}
