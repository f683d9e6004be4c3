import type { ComponentImportance, MethodRun } from '../../methods/tuners/method-run.ts';
import { adapterParameters } from '../../methods/tuners/tuner.ts';
import { DropoutPools } from '../../models/nn/dropout.ts';
import type { Engine } from '../../program/engine.ts';
import type { ExampleSet } from '../../program/example-set.ts';
import type { TaskModel } from '../../program/objectives/task-model.ts';
import { ALONE, assertEqual, type Communicator } from '../../program/parallel/communicator.ts';
import { Program } from '../../program/program.ts';
import type { Validation } from '../../program/validation.ts';
import { isSampled } from '../../support/numbers.ts';
import { releasing } from '../../support/opened.ts';
import { computeHash } from '../../support/sha256.ts';
import { UserError } from '../../support/user-error.ts';
import type { LossCourse, TrainerState } from '../run/checkpoint.ts';
import type { FinishEvent, TrainEvent } from '../run/events.ts';
import { differentiateStep } from './differentiate-step.ts';
import { Evaluations, type Seen, watching } from './evaluations.ts';
import { Meter } from './meter.ts';
import { StepBatches } from './step-batches.ts';
import type { StepControl, StepState } from './step-control.ts';
import type { TrainerSettings } from './trainer-settings.ts';
import { assertFinite, SkippedSteps, Updater } from './updater.ts';

/** Number of steps at which orthogonality is logged. More would not be visible in the chart. */
const MAX_MEASURED = 32;

export interface TrainerInputs {
  engine: Engine;
  model: TaskModel;
  method: MethodRun;
  /** Trained values before the first step. */
  values: Float32Array;
  train: ExampleSet;
  validation?: Validation;
  /** The processes that share every batch. All of them compute the same training. Default: only this process. */
  communicator?: Communicator;
}

/** Callbacks of the trainer. */
export interface TrainerHost {
  emit(event: TrainEvent): void;
  /** Called between steps. If it returns true in any process, all processes end the run after a checkpoint. */
  shouldStop(): boolean;
  /** Called after each step. All processes get the same answer. */
  onStepEnd?(state: StepState): Promise<StepControl>;
  /** Called at every allocation of ranks. */
  onImportance?(step: number, importance: readonly ComponentImportance[]): void;
  /** Writes a checkpoint and returns its path. Missing if no checkpoints are written. */
  save?(state: TrainerState): string | Promise<string>;
  /** Called after each step. Returns whether a checkpoint is due. Default: every `save_steps`, and after an epoch. */
  isSaveDue?(): boolean;
  /** Returns the peak memory of the process so far. */
  peakMemoryMb(): number;
}

/**
 * The training loop. Everything it does at a step depends only on (seed, step) and its state, so it resumes exactly.
 */
export class Trainer {
  readonly #inputs: TrainerInputs;
  readonly #settings: TrainerSettings;
  readonly #host: TrainerHost;
  readonly #updater: Updater;
  readonly #meter = new Meter();
  readonly #evaluations: Evaluations;
  readonly #skipped = new SkippedSteps();
  readonly #pools = new DropoutPools();
  #program: Program;
  readonly #batches: StepBatches;
  #savedAt = -1;
  #stops = false;

  constructor(inputs: TrainerInputs, settings: TrainerSettings, host: TrainerHost) {
    this.#inputs = inputs;
    // Copied, because onStepEnd may change the last step.
    this.#settings = { ...settings };
    this.#host = host;
    this.#batches = new StepBatches(inputs.train, settings);
    this.#updater = new Updater(inputs.method, inputs.values, settings.update);
    this.#evaluations = new Evaluations(inputs.validation, this.#settings, (event) => host.emit(event));
    this.#program = this.#newProgram();
  }

  /** Number of steps taken. */
  get step(): number {
    return this.#updater.step;
  }

  /** Scores before the first step, for models with a head that is not new. */
  get before(): Readonly<Record<string, number>> | undefined {
    return this.#evaluations.before;
  }

  /** The training loss over the whole run. */
  get losses(): LossCourse {
    return this.#meter.losses;
  }

  /** The trained values. At the end, they are those of the best evaluation if the config keeps the best model. */
  get values(): Float32Array {
    const { loadBestAtEnd, stopStep } = this.#settings;
    const isOver = this.step >= stopStep || this.#evaluations.isPatienceOver;
    return (loadBestAtEnd && isOver ? this.#evaluations.best.values : undefined) ?? this.#updater.values;
  }

  /**
   * The results, other than scores, of the evaluation with which the run ends. If it was before a resume, all processes
   * repeat it. Undefined for a run without evaluations.
   */
  async seen(): Promise<Seen | undefined> {
    const { best, seen, lastMetrics } = this.#evaluations;
    const isBest = this.#settings.loadBestAtEnd && best.state !== undefined;
    const { validation } = this.#inputs;
    const known = isBest ? seen.best : seen.last;
    if (known || !validation || Object.keys(lastMetrics).length === 0) return known;
    const again: Seen = {};
    const program = this.#newProgram();
    await releasing(program, () => validation.run(program, this.values, watching(again)));
    return again;
  }

  /** Opens the training session before the first step. */
  async prepare(): Promise<void> {
    await this.#program.prepare();
  }

  /** Frees the engine's memory. {@link run} does so at its end, also if it fails. */
  release(): Promise<void> {
    return this.#program.release();
  }

  /** Trains to the end, to a stop, or until patience is exhausted. */
  run(): Promise<FinishEvent> {
    return releasing(this, () => this.#run());
  }

  async #run(): Promise<FinishEvent> {
    const started = performance.now();
    let reason: FinishEvent['reason'] = 'done';
    const { totalSteps, evaluateBefore } = this.#settings;
    if (this.step === 0 && evaluateBefore) await this.#evaluations.begin(this.#program, this.#updater.values);
    while (this.step < this.#settings.stopStep) {
      if (this.#shouldStop()) reason = 'stopped';
      else if (this.#evaluations.isPatienceOver) reason = 'early';
      if (reason !== 'done') break;
      const { should_evaluate } = await this.#controlled(await this.#takeStep());
      if (should_evaluate || this.#evaluations.isDue(this.step)) {
        const { method } = this.#inputs;
        await this.#evaluations.run(this.step, this.#program, this.#updater.values, method.settled);
      }
      if (this.#isSaveDue()) await this.#save();
    }
    if (reason === 'done' && this.step < totalSteps) reason = 'stop_at_step';
    if (this.#savedAt !== this.step) await this.#save();
    await this.release();
    const { method } = this.#inputs;
    const { best, lastMetrics } = this.#evaluations;
    const metrics = (this.#settings.loadBestAtEnd && best.state?.metrics) || lastMetrics;
    if (reason !== 'stopped') {
      if (reason !== 'stop_at_step') method.assertComplete?.();
      this.#tellWithoutBest();
      assertFinite(this.step, this.values, metrics);
    }
    return {
      type: 'finish',
      step: this.step,
      reason,
      total_steps: totalSteps,
      train_runtime: (performance.now() - started) / 1000,
      train_samples_per_second: this.#meter.overall(),
      peak_memory_mb: this.#host.peakMemoryMb(),
      metrics,
      ranks: method.ranks(),
      adapter_parameters: method.keptParameters?.() ?? adapterParameters(method.tuner),
    };
  }

  /**
   * Whether to stop. Processes may receive a stop request at different steps, so the shared result of the last step
   * counts.
   */
  #shouldStop(): boolean {
    return this.#communicator.size > 1 ? this.#stops : this.#host.shouldStop();
  }

  get #communicator(): Communicator {
    return this.#inputs.communicator ?? ALONE;
  }

  state(): TrainerState {
    const { step: optimizerStep, ...optimizer } = this.#updater.moments();
    const { best, lastMetrics, before } = this.#evaluations;
    return {
      step: this.step,
      optimizerStep,
      ...(this.#updater.isRateReplaced && { learningRate: this.#updater.learningRate }),
      skipped: this.#skipped.state,
      meter: this.#meter.state,
      losses: this.#meter.losses,
      best: best.state,
      lastMetrics,
      ...(before && { before }),
      tensors: {
        values: this.#updater.values,
        ...(best.values && { best: best.values }),
      },
      optimizer,
      method: this.#inputs.method.state(),
    };
  }

  /**
   * Continues from a state that a trainer of the same run has saved.
   *
   * @param where the state's file
   * @throws UserError for an intact state that does not fit the run, because another program wrote it
   */
  async restore(state: TrainerState, where = 'the checkpoint'): Promise<void> {
    const { values, best } = state.tensors;
    try {
      this.#inputs.method.restore(state.method);
      this.#updater.restore(state.step, values, { ...state.optimizer, step: state.optimizerStep });
    } catch (error) {
      throw new UserError({
        where,
        fault: `is not a checkpoint of this run: ${error instanceof Error ? error.message : error}`,
      });
    }
    if (state.learningRate !== undefined) this.#updater.learningRate = state.learningRate;
    this.#skipped.state = state.skipped;
    this.#meter.state = state.meter;
    this.#meter.losses = state.losses;
    this.#evaluations.best.state = state.best;
    this.#evaluations.best.values = best;
    this.#evaluations.lastMetrics = state.lastMetrics;
    this.#evaluations.before = state.before;
    this.#savedAt = state.step;
    await this.#replaceProgram();
  }

  async #controlled(state: StepState): Promise<StepControl> {
    const control = (await this.#host.onStepEnd?.(state)) ?? {};
    if (control.should_evaluate && !this.#inputs.validation)
      throw new UserError('onStepEnd requests an evaluation, but the config has no data.validation.');
    if (control.should_training_stop) this.#settings.stopStep = this.step;
    if (control.learning_rate !== undefined) this.#updater.learningRate = control.learning_rate;
    return control;
  }

  async #takeStep(): Promise<StepState> {
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
    this.#skipped.note(update.skipped);
    if (update.importance) this.#host.onImportance?.(step, update.importance);
    if (update.allocation) this.#assertEqual();
    if (update.allocation) this.#host.emit({ type: 'allocation', ...update.allocation });
    if (step % this.#settings.loggingSteps === 0 || step === this.#settings.stopStep) {
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
        skipped_steps: this.#skipped.state.total,
      });
    }
    if (update.skipped) {
      const message = `step ${step}: the gradient is not finite; the step was skipped`;
      this.#host.emit({ type: 'notice', step, message });
      this.#skipped.assertFew(step);
    }
    if (isSampled(step, this.#settings.totalSteps, MAX_MEASURED)) this.#measureFactors();
    return {
      step,
      total_steps: this.#settings.totalSteps,
      epoch: step / stepsPerEpoch,
      loss: objective.loss,
      learning_rate: update.learningRate,
      metrics: this.#evaluations.lastMetrics,
    };
  }

  #tellWithoutBest(): void {
    const { loadBestAtEnd, metricForBest } = this.#settings;
    const { best, lastMetrics } = this.#evaluations;
    if (!loadBestAtEnd || best.state || Object.keys(lastMetrics).length === 0) return;
    const metric = `eval_${metricForBest.replace(/^eval_/, '')}`;
    const message = `No evaluation had a finite ${metric}, so the values of the last step are kept.`;
    this.#host.emit({ type: 'notice', step: this.step, message });
  }

  #measureFactors(): void {
    const modules = this.#inputs.method.tuner.factorDistances?.(this.#updater.values);
    if (modules) this.#host.emit({ type: 'orthogonality', step: this.step, modules });
  }

  #isSaveDue(): boolean {
    if (this.#host.isSaveDue) return this.#host.isSaveDue();
    return this.#isEpochEnd() || this.step % this.#settings.saveSteps === 0;
  }

  #isEpochEnd(): boolean {
    return this.step % this.#settings.stepsPerEpoch === 0;
  }

  /** @throws ComputationError if another process has other values or another rank pattern */
  #assertEqual(): void {
    const { size } = this.#communicator;
    if (size === 1) return;
    const { m, v } = this.#updater.moments();
    assertEqual(this.#communicator, this.step, {
      values: computeHash(this.#updater.values),
      'optimizer state': computeHash(m) + computeHash(v),
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

  async #replaceProgram(): Promise<void> {
    const before = this.#program;
    this.#program = this.#newProgram();
    await before.release();
  }

  #newProgram(): Program {
    const { engine, model, method, communicator } = this.#inputs;
    return new Program(engine, model, method.tuner, { ...this.#settings, communicator, pools: this.#pools });
  }
}
