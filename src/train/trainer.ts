import type { TaskModel } from '../objectives/task-model.ts';
import { ALONE } from '../parallel/alone.ts';
import { assertEqual } from '../parallel/assert-equal.ts';
import type { Communicator } from '../parallel/communicator.ts';
import { NotFinite } from '../program/check-finite.ts';
import type { Engine } from '../program/engine.ts';
import type { Confusion, ExampleSet, Scores } from '../program/example-set.ts';
import { Program } from '../program/program.ts';
import type { Validation } from '../program/validation.ts';
import { evaluationEvent, type FinishEvent, type TrainEvent } from '../run/events.ts';
import type { TrainerState } from '../run/trainer-state.ts';
import { hashOf } from '../support/hash-of.ts';
import { isSampled } from '../support/is-sampled.ts';
import { UserError } from '../support/user-error.ts';
import type { MethodRun } from '../tuners/method-run.ts';
import { adapterParameters } from '../tuners/tuner.ts';
import { BestTracker } from './best-tracker.ts';
import { differentiateStep } from './differentiate-step.ts';
import { Meter } from './meter.ts';
import { StepBatches } from './step-batches.ts';
import type { TrainerSettings } from './trainer-settings.ts';
import { Updater } from './updater.ts';

/** So many steps in a row without a finite gradient end the training: nothing would change any more. */
const MAX_SKIPPED_IN_A_ROW = 10;

/** Steps of a run at which factors are measured: a curve as wide as a phone's screen shows no more. */
const MOST_MEASURED = 32;
/** Classes of which the log keeps which was taken for which: of more the table is large, and nobody reads it. */
const MOST_CONFUSED = 32;

export interface TrainerInputs {
  engine: Engine;
  model: TaskModel;
  method: MethodRun;
  /** Trained values before the first step. */
  values: Float32Array;
  train: ExampleSet;
  validation?: Validation;
  /** Among whom every batch is divided; all of them train the same. By default this process is alone. */
  communicator?: Communicator;
}

/** What the trainer's surroundings do for it. */
export interface TrainerHost {
  emit(event: TrainEvent): void;
  /** Asked between steps: true ends the run after a checkpoint, in all processes if one of them says so. */
  shouldStop(): boolean;
  /** Writes a checkpoint and says where; missing where there is no place for one. */
  save?(state: TrainerState): string | Promise<string>;
  /** Asked after each step whether a checkpoint is due; by default one is every `save_steps`, and after an epoch. */
  isSaveDue?(): boolean;
  /** Of the process, so far. */
  peakMemoryMb(): number;
}

/** The training loop: everything it does at a step follows from (seed, step) and its state, so it resumes exactly. */
export class Trainer {
  readonly #inputs: TrainerInputs;
  readonly #settings: TrainerSettings;
  readonly #host: TrainerHost;
  readonly #updater: Updater;
  readonly #meter = new Meter();
  readonly #best: BestTracker;
  #program: Program;
  readonly #batches: StepBatches;
  #skipped = { total: 0, inARow: 0 };
  #lastMetrics: Record<string, number> = {};
  #savedAt = -1;
  #stops = false;

  constructor(inputs: TrainerInputs, settings: TrainerSettings, host: TrainerHost) {
    this.#inputs = inputs;
    this.#settings = settings;
    this.#host = host;
    this.#batches = new StepBatches(inputs.train, settings);
    this.#updater = new Updater(inputs.method, inputs.values, settings.update);
    this.#best = new BestTracker(settings.metricForBest, settings.greaterIsBetter);
    this.#program = this.#newProgram();
  }

  /** Steps taken so far. */
  get step(): number {
    return this.#updater.step;
  }

  /** The trained values: at the end those of the best evaluation, if so configured. */
  get values(): Float32Array {
    const { loadBestAtEnd, totalSteps } = this.#settings;
    const isOver = this.step >= totalSteps || this.#isPatienceOver();
    return (loadBestAtEnd && isOver ? this.#best.values : undefined) ?? this.#updater.values;
  }

  /** Opens the training session, so that the first step finds it ready. */
  async prepare(): Promise<void> {
    await this.#program.prepare();
  }

  /** Trains to the end, to a stop, or until patience is over. */
  async run(): Promise<FinishEvent> {
    const started = performance.now();
    let reason: FinishEvent['reason'] = 'done';
    while (this.step < this.#settings.totalSteps) {
      if (this.#shouldStop()) reason = 'stopped';
      else if (this.#isPatienceOver()) reason = 'early';
      if (reason !== 'done') break;
      await this.#takeStep();
      if (this.#isEvaluationDue()) await this.#evaluate();
      if (this.#isSaveDue()) await this.#save();
    }
    if (this.#savedAt !== this.step) await this.#save();
    await this.#program.release();
    const { method } = this.#inputs;
    if (reason !== 'stopped') method.assertComplete?.();
    return {
      type: 'finish',
      step: this.step,
      reason,
      train_runtime: (performance.now() - started) / 1000,
      train_samples_per_second: this.#meter.overall(),
      peak_memory_mb: this.#host.peakMemoryMb(),
      metrics: (this.#settings.loadBestAtEnd && this.#best.state?.metrics) || this.#lastMetrics,
      ranks: method.ranks(),
      adapter_parameters: method.keptParameters?.() ?? adapterParameters(method.tuner),
    };
  }

  /** Of several processes one may have been asked a step before the others: what all know of the last step counts. */
  #shouldStop(): boolean {
    return this.#communicator.size > 1 ? this.#stops : this.#host.shouldStop();
  }

  get #communicator(): Communicator {
    return this.#inputs.communicator ?? ALONE;
  }

  state(): TrainerState {
    const { m, v, step: optimizerStep } = this.#updater.optimizerState();
    return {
      step: this.step,
      optimizerStep,
      skipped: this.#skipped,
      meter: this.#meter.state,
      best: this.#best.state,
      lastMetrics: this.#lastMetrics,
      tensors: {
        values: this.#updater.values,
        m,
        v,
        ...(this.#best.values && { best: this.#best.values }),
      },
      method: this.#inputs.method.state(),
    };
  }

  /** Continues from a state that a trainer of the same run gave. */
  async restore(state: TrainerState): Promise<void> {
    const { values, m, v, best } = state.tensors;
    this.#inputs.method.restore(state.method);
    this.#updater.restore(state.step, values, { m, v, step: state.optimizerStep });
    this.#skipped = state.skipped;
    this.#meter.state = state.meter;
    this.#best.state = state.best;
    this.#best.values = best;
    this.#lastMetrics = state.lastMetrics;
    this.#savedAt = state.step;
    await this.#replaceProgram();
  }

  async #takeStep(): Promise<void> {
    const started = performance.now();
    const batches = this.#batches.of(this.step);
    const { seed, stepsPerEpoch } = this.#settings;
    const wantsStop = this.#communicator.size > 1 && this.#host.shouldStop();
    const objective = await differentiateStep(this.#program, this.#updater.values, batches, seed, wantsStop);
    this.#stops = objective.stops;
    const update = this.#updater.apply(objective.gradient);
    if (update.relaidOut) await this.#replaceProgram();
    const examples = batches.reduce((sum, batch) => sum + batch.examples, 0);
    this.#meter.add(objective.loss, examples, performance.now() - started);

    const { step } = this;
    this.#skipped = update.skipped
      ? { total: this.#skipped.total + 1, inARow: this.#skipped.inARow + 1 }
      : { total: this.#skipped.total, inARow: 0 };
    if (update.allocation) this.#assertEqual();
    if (update.allocation) this.#host.emit({ type: 'allocation', ...update.allocation });
    if (step % this.#settings.loggingSteps === 0 || step === this.#settings.totalSteps) {
      this.#host.emit({
        type: 'step',
        step,
        epoch: step / stepsPerEpoch,
        ...this.#meter.flush(),
        regularizer: objective.regularizer,
        grad_norm: update.gradNorm,
        learning_rate: update.learningRate,
        budget: this.#inputs.method.budgetAt?.(step),
        peak_memory_mb: this.#host.peakMemoryMb(),
        skipped_steps: this.#skipped.total,
      });
    }
    if (update.skipped) this.#noticeSkip(step);
    if (isSampled(step, this.#settings.totalSteps, MOST_MEASURED)) this.#measureFactors();
  }

  #measureFactors(): void {
    const modules = this.#inputs.method.tuner.factorDistances?.(this.#updater.values);
    if (modules) this.#host.emit({ type: 'orthogonality', step: this.step, modules });
  }

  async #evaluate(): Promise<void> {
    const { method, validation } = this.#inputs;
    if (!validation) throw new Error('evaluation without validation data');
    const started = performance.now();
    let confusion: Confusion | undefined;
    const scores = await validation
      .run(this.#program, this.#updater.values, {
        onConfusion(found) {
          confusion = found;
        },
      })
      .catch((error) => unscored(error, this.#settings.metricForBest));
    const seconds = (performance.now() - started) / 1000;
    this.#lastMetrics = scores;
    const best = method.settled && this.#best.observe(this.step, scores, this.#updater.values);
    const measured = {
      ...scores,
      eval_runtime: seconds,
      eval_samples_per_second: validation.count / seconds,
    };
    this.#host.emit(evaluationEvent(this.step, this.step / this.#settings.stepsPerEpoch, measured, best));
    if (confusion && confusion.labels.length <= MOST_CONFUSED) {
      const { labels, counts } = confusion;
      const copy = { labels: [...labels], counts: counts.map((row) => [...row]) };
      this.#host.emit({ type: 'confusion', step: this.step, ...copy });
    }
  }

  #isEvaluationDue(): boolean {
    const { evaluate, totalSteps } = this.#settings;
    if (evaluate === 0) return false;
    return (
      this.step === totalSteps || (evaluate === 'epoch' ? this.#isEpochEnd() : this.step % evaluate === 0)
    );
  }

  #isSaveDue(): boolean {
    if (this.#host.isSaveDue) return this.#host.isSaveDue();
    return this.#isEpochEnd() || this.step % this.#settings.saveSteps === 0;
  }

  #isEpochEnd(): boolean {
    return this.step % this.#settings.stepsPerEpoch === 0;
  }

  #isPatienceOver(): boolean {
    const { patience } = this.#settings;
    return patience !== undefined && (this.#best.state?.waited ?? 0) >= patience;
  }

  /** @throws ComputationError where another process has other values or another pattern */
  #assertEqual(): void {
    const { size } = this.#communicator;
    if (size === 1) return;
    const { m, v } = this.#updater.optimizerState();
    assertEqual(this.#communicator, this.step, {
      values: hashOf(this.#updater.values),
      'optimizer state': hashOf(m) + hashOf(v),
      'rank pattern': JSON.stringify(this.#inputs.method.ranks()),
    });
  }

  async #save(): Promise<void> {
    this.#savedAt = this.step;
    this.#assertEqual();
    if (!this.#host.save) return;
    const path = await this.#host.save(this.state());
    this.#host.emit({ type: 'checkpoint', step: this.step, path });
  }

  #noticeSkip(step: number): void {
    const message = `step ${step}: the gradient is not finite; the step was skipped`;
    this.#host.emit({ type: 'notice', step, message });
    if (this.#skipped.inARow < MAX_SKIPPED_IN_A_ROW) return;
    throw new UserError({
      where: `step ${step}`,
      expected: 'a finite gradient',
      got: `${MAX_SKIPPED_IN_A_ROW} steps in a row without one`,
      hint: 'Lower training.learning_rate, set training.max_grad_norm to 1, or look for damaged rows in the data.',
    });
  }

  async #replaceProgram(): Promise<void> {
    await this.#program.release();
    this.#program = this.#newProgram();
  }

  #newProgram(): Program {
    const { engine, model, method, communicator } = this.#inputs;
    return new Program(engine, model, method.tuner, { ...this.#settings, communicator });
  }
}

/** A run may diverge and go on: what its model gives then has no score, which is never the best. */
function unscored(error: unknown, metric: string): Scores {
  if (error instanceof NotFinite) return { eval_loss: Number.NaN, [`eval_${metric}`]: Number.NaN };
  throw error;
}
