import { NotFinite } from '../../program/check-finite.ts';
import type { Certainty, Confusion, EvaluationWatch, Mistake, Scores } from '../../program/example-set.ts';
import type { Program } from '../../program/program.ts';
import type { Validation } from '../../program/validation.ts';
import type { BestState } from '../run/checkpoint.ts';
import { evaluationEvent, type FinishEvent, type TrainEvent } from '../run/events.ts';
import type { TrainerSettings } from './trainer-settings.ts';

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

/** The results of an evaluation other than its scores. */
export interface Seen {
  certainty?: Certainty;
  confusion?: Confusion;
  /** Returns the most confident wrong predictions. */
  mistakes?: () => Mistake[];
}

/** The evaluations of a run: when they are due, their results, and the best one. */
export class Evaluations {
  readonly best: BestTracker;
  lastMetrics: Record<string, number> = {};
  /** Scores before the first step, if requested. */
  before: Record<string, number> | undefined;
  /** Results of the last and the best evaluation. After a resume, undefined until the next evaluation. */
  seen: { last?: Seen; best?: Seen } = {};
  readonly #validation: Validation | undefined;
  readonly #settings: TrainerSettings;
  readonly #emit: (event: TrainEvent) => void;

  constructor(
    validation: Validation | undefined,
    settings: TrainerSettings,
    emit: (event: TrainEvent) => void,
  ) {
    this.#validation = validation;
    this.#settings = settings;
    this.#emit = emit;
    this.best = new BestTracker(settings.metricForBest, settings.greaterIsBetter);
  }

  isDue(step: number): boolean {
    const { evaluate, stopStep, stepsPerEpoch } = this.#settings;
    if (evaluate === 0) return false;
    return step === stopStep || step % (evaluate === 'epoch' ? stepsPerEpoch : evaluate) === 0;
  }

  /** Whether the run's patience is exhausted: the allowed number of evaluations in a row were no better. */
  get isPatienceOver(): boolean {
    const { patience } = this.#settings;
    return patience !== undefined && (this.best.state?.waited ?? 0) >= patience;
  }

  /** Scores the model before the first step, as a baseline. */
  async begin(program: Program, values: Float32Array): Promise<void> {
    const { metricForBest } = this.#settings;
    this.before = await this.#validation
      ?.run(program, values)
      .catch((error) => unscored(error, metricForBest));
  }

  /** @param canBeBest whether the method has reached its final size */
  async run(step: number, program: Program, values: Float32Array, canBeBest: boolean): Promise<void> {
    const validation = this.#validation;
    if (!validation) throw new Error('evaluation without validation data');
    const { stepsPerEpoch } = this.#settings;
    const started = performance.now();
    const { scores, seen } = await this.#score(validation, program, values);
    const seconds = (performance.now() - started) / 1000;
    this.lastMetrics = scores;
    const isBest = canBeBest && this.best.observe(step, scores, values);
    this.seen = { last: seen, best: isBest ? seen : this.seen.best };
    const { confusion } = seen;
    const measured = {
      ...scores,
      eval_runtime: seconds,
      eval_samples_per_second: validation.count / seconds,
    };
    this.#emit(evaluationEvent(step, step / stepsPerEpoch, measured, isBest));
    const shown = confusion && shownConfusion(confusion);
    if (shown) this.#emit({ type: 'confusion', step, ...shown });
  }

  async #score(validation: Validation, program: Program, values: Float32Array) {
    const seen: Seen = {};
    const scores = await validation
      .run(program, values, watching(seen))
      .catch((error) => unscored(error, this.#settings.metricForBest));
    return { scores, seen };
  }
}

/** Maximum number of classes for a confusion matrix in the log. A larger table would be too big to read. */
const MAX_CONFUSED = 32;

/** A confusion matrix as an event has it; undefined if it has too many classes. */
export function shownConfusion({ labels, counts }: Confusion): FinishEvent['confusion'] {
  if (labels.length > MAX_CONFUSED) return undefined;
  return { labels: [...labels], counts: counts.map((row) => [...row]) };
}

/** Records the results of an evaluation other than its scores. */
export function watching(seen: Seen): EvaluationWatch {
  return {
    onConfusion(found) {
      seen.confusion = found;
    },
    onCertainty(found) {
      seen.certainty = found;
    },
    onMistakes(find) {
      seen.mistakes = find;
    },
  };
}

/**
 * The scores of a model whose outputs are not finite: NaN, which is never the best. So a run that diverges can
 * continue.
 */
function unscored(error: unknown, metric: string): Scores {
  if (error instanceof NotFinite) return { eval_loss: Number.NaN, [`eval_${metric}`]: Number.NaN };
  throw error;
}
