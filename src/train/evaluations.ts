import { NORMAL_95 } from '../metrics/score-interval.ts';
import { NotFinite } from '../program/check-finite.ts';
import type { Certainty, Confusion, EvaluationWatch, Scores } from '../program/example-set.ts';
import type { Program } from '../program/program.ts';
import type { Validation } from '../program/validation.ts';
import { evaluationEvent, type TrainEvent } from '../run/events.ts';
import { BestTracker } from './best-tracker.ts';
import type { TrainerSettings } from './trainer-settings.ts';

/** Maximum number of classes for a confusion matrix in the log. A larger table would be too big to read. */
const MAX_CONFUSED = 32;

/** The results of an evaluation other than its scores. */
export interface Seen {
  certainty?: Certainty;
  confusion?: Confusion;
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

  /** The score of the last evaluation that selects the best model. */
  get score(): number {
    return this.lastMetrics[`eval_${this.#settings.metricForBest.replace(/^eval_/, '')}`]!;
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
    const { isBest, isKept } = canBeBest
      ? this.best.observe(step, scores, values, this.#settings.prefersLater ? this.#standardError(seen) : 0)
      : { isBest: false, isKept: false };
    this.seen = { last: seen, best: isKept ? seen : this.seen.best };
    const { confusion } = seen;
    const measured = {
      ...scores,
      eval_runtime: seconds,
      eval_samples_per_second: validation.count / seconds,
    };
    this.#emit(evaluationEvent(step, step / stepsPerEpoch, measured, isBest, isKept));
    if (confusion && confusion.labels.length <= MAX_CONFUSED) {
      const { labels, counts } = confusion;
      const copy = { labels: [...labels], counts: counts.map((row) => [...row]) };
      this.#emit({ type: 'confusion', step, ...copy });
    }
  }

  /**
   * Selects the model with the same output for every text as the best one, unless the best evaluation has a lower loss,
   * or a score that is better by more than a standard error.
   *
   * @returns whether the constant model is now the best
   */
  async considerConstant(step: number, program: Program, values: Float32Array): Promise<boolean> {
    const best = this.best.state;
    const { metricForBest, greaterIsBetter } = this.#settings;
    if (!best || !this.#validation) return false;
    const { scores, seen } = await this.#score(this.#validation, program, values);
    const score = scores[`eval_${metricForBest}`]!;
    const margin = this.#standardError(seen);
    const ahead = greaterIsBetter ? best.score - score : score - best.score;
    // If a score or loss is NaN, the best model is kept.
    if (best.metrics.eval_loss! < scores.eval_loss! || !(ahead <= margin)) return false;
    this.best.state = { ...best, step, score, metrics: scores };
    this.best.values = values;
    this.seen = { last: seen, best: seen };
    return true;
  }

  /** The standard error of the score that selects the best model. NaN if it has no interval. */
  #standardError({ certainty }: Seen): number {
    const [low, high] = certainty?.interval(this.#settings.metricForBest) ?? [];
    return (Number(high) - Number(low)) / (2 * NORMAL_95);
  }

  async #score(validation: Validation, program: Program, values: Float32Array) {
    const seen: Seen = {};
    const scores = await validation
      .run(program, values, watching(seen))
      .catch((error) => unscored(error, this.#settings.metricForBest));
    return { scores, seen };
  }
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
