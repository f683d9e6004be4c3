import { type ExampleLengths, paddedTokens, planEpoch, planEvaluation } from '../../../input/text/batches.ts';
import type { Evaluation } from '../../../program/example-set.ts';
import { Program } from '../../../program/program.ts';
import type { Validation } from '../../../program/validation.ts';
import { addUp } from '../../../support/numbers.ts';
import { releasing } from '../../../support/opened.ts';
import type { RunConfig } from '../../../training/run/config/run-config.ts';
import { differentiateStep } from '../../../training/train/differentiate-step.ts';
import { type MicroBatch, StepBatches } from '../../../training/train/step-batches.ts';
import type { TrainerInputs } from '../../../training/train/trainer.ts';
import type { TrainerSettings } from '../../../training/train/trainer-settings.ts';
import { Updater } from '../../../training/train/updater.ts';
import { largestBatch } from '../plan/memory-estimate.ts';
import type { Calibration, CalibrationProgress } from './calibration.ts';

/** Steps that are not timed. The first one opens the session, and memory arenas still grow. */
const WARM_UP_STEPS = 2;
/** Long enough for a mean within a few percent on a quiet machine. */
const TRAINING = { seconds: 10, count: 100 };
const EVALUATION = { seconds: 3, count: 30 };
const QUICK = { seconds: 2, count: 20 };

/**
 * Trains for some seconds on the run's own batches. The largest batch comes first, because it determines the
 * peak memory; then come steps of the first epoch. Afterwards, some batches are evaluated. The results are
 * discarded.
 */
export async function calibrate(
  inputs: TrainerInputs,
  settings: TrainerSettings,
  config: RunConfig,
  onProgress: (progress: CalibrationProgress) => void,
  isQuick = false,
): Promise<Omit<Calibration, 'peakMb'>> {
  const { engine, model, method, train, validation } = inputs;
  const newProgram = () => new Program(engine, model, method.tuner, settings);
  const updater = new Updater(method, inputs.values, settings.update);
  const stepBatches = new StepBatches(train, settings);
  let program = newProgram();
  const trainSteps = async (batches: readonly MicroBatch[]) => {
    const { gradient } = await differentiateStep(program, updater.values, batches, settings.seed);
    if (!updater.apply(gradient).relaidOut) return;
    const before = program;
    program = newProgram();
    await before.release();
  };
  const tell = (what: CalibrationProgress['what']) => (share: number) => onProgress({ what, share });

  const examples = largestBatch(config, train);
  const tokens = paddedTokens(examples, train.lengths);
  const largest = { ...train.batch(examples, 0), examples: examples.length, tokens, number: 0 };
  // With several batches per step, gradients are summed in additional memory. Two batches are enough to
  // measure it.
  const warmUp = settings.accumulation > 1 ? [largest, largest] : [largest];
  const planned = plannedSteps(train, settings);
  const batchSize = config.training.per_device_eval_batch_size;
  const used = { release: () => program.release() };
  const { steps, evalExamplesPerSecond } = await releasing(used, async () => {
    for (let i = 0; i < WARM_UP_STEPS; i++)
      await trainSteps(warmUp.map((batch) => ({ ...batch, weight: 1 / warmUp.length })));
    const steps = await timed(
      planned,
      isQuick ? QUICK : TRAINING,
      ({ step }) => trainSteps(stepBatches.of(step)),
      tell('steps'),
    );
    const evalExamplesPerSecond =
      validation &&
      (await evaluationRate(program, updater.values, largestSet(validation), {
        batchSize,
        bounds: isQuick ? QUICK : EVALUATION,
        onProgress: tell('evaluation'),
      }));
    return { steps, evalExamplesPerSecond };
  });

  const times = steps.map(({ ms }) => ms).sort((a, b) => a - b);
  const seconds = addUp(times) / 1000;
  const evaluationSeconds = validation
    ? (evaluations(settings, config) * validation.count) / Number(evalExamplesPerSecond)
    : 0;
  return {
    steps: steps.length,
    msPerStep: (times[(times.length - 1) >> 1]! + times[times.length >> 1]!) / 2,
    examplesPerSecond: addUp(steps, ({ item }) => item.examples) / seconds,
    tokensPerSecond: addUp(steps, ({ item }) => item.tokens) / seconds,
    evalExamplesPerSecond,
    runSeconds: (settings.totalSteps * seconds) / steps.length + evaluationSeconds,
  };
}

/** The largest validation set is measured, and represents all of them. */
function largestSet({ parts }: Validation): Evaluation {
  return parts.reduce((most, part) =>
    part.examples.lengths.length > most.examples.lengths.length ? part : most,
  );
}

/** The number of evaluations in a run. With a quantized base, a final one on the original weights is added. */
function evaluations({ evaluate, totalSteps, stepsPerEpoch }: TrainerSettings, config: RunConfig): number {
  const every = evaluate === 'epoch' ? stepsPerEpoch : evaluate;
  const duringTraining = every === 0 ? 0 : Math.ceil(totalSteps / every);
  return duringTraining + (config.base_dtype === 'float32' ? 0 : 1);
}

/**
 * Examples per second in evaluations. The first batch is not timed, because it opens the session.
 */
async function evaluationRate(
  program: Program,
  values: Float32Array,
  { examples, output }: Evaluation,
  {
    batchSize,
    bounds,
    onProgress,
  }: { batchSize: number; bounds: Bounds; onProgress: (share: number) => void },
): Promise<number> {
  const batches = planEvaluation(examples, batchSize);
  const evaluate = async (number: number) => {
    const { feeds } = examples.batch(batches[number]!, number);
    await (output === 'logits' ? program.predict(values, feeds) : program.loss(values, feeds));
  };
  await evaluate(0);
  const done = await timed(spread(batches.length), bounds, evaluate, onProgress);
  return (1000 * addUp(done, ({ item }) => batches[item]!.length)) / addUp(done, ({ ms }) => ms);
}

interface PlannedStep {
  /** Index of the step, from 0. */
  step: number;
  examples: number;
  /** Number of tokens without padding. */
  tokens: number;
}

/**
 * Orders the steps of a run's first epoch. Every prefix then has the same mix of small and large steps as the
 * epoch.
 */
export function plannedSteps(examples: ExampleLengths, settings: TrainerSettings): PlannedStep[] {
  const { accumulation, stepsPerEpoch, totalSteps } = settings;
  const { lengths, targetLengths } = examples;
  const batches = planEpoch({ ...settings, lengths, targetLengths, epoch: 0 });
  const steps = Array.from({ length: Math.min(stepsPerEpoch, totalSteps) }, (_, step) => {
    const stepBatches = batches.slice(step * accumulation, (step + 1) * accumulation);
    return {
      step,
      examples: addUp(stepBatches, ({ length }) => length),
      tokens: addUp(stepBatches, (examples) => addUp(examples, (example) => lengths[example]!)),
      size: addUp(stepBatches, (examples) => paddedTokens(examples, lengths)),
    };
  });
  steps.sort((a, b) => a.size - b.size);
  return spread(steps.length).map((at) => steps[at]!);
}

/** When timing ends: as soon as one of these limits is reached. At least one item is handled. */
interface Bounds {
  seconds: number;
  count: number;
}

/** Handles items one after another until a limit is reached. Returns the milliseconds of each. */
export async function timed<Item>(
  items: readonly Item[],
  { seconds, count }: Bounds,
  act: (item: Item) => Promise<void>,
  onProgress: (share: number) => void,
): Promise<{ item: Item; ms: number }[]> {
  const done: { item: Item; ms: number }[] = [];
  const startedAt = performance.now();
  const most = Math.min(count, items.length);
  for (const item of items.slice(0, most)) {
    const started = performance.now();
    await act(item);
    const now = performance.now();
    done.push({ item, ms: now - started });
    const share = Math.max(done.length / most, (now - startedAt) / (1000 * seconds));
    onProgress(Math.min(1, share));
    if (share >= 1) break;
  }
  return done;
}

/**
 * The numbers from 0 to `count` - 1 in van der Corput's order: those at a half, a quarter, three quarters, an
 * eighth, … of `count`. Every prefix is spread evenly.
 */
export function spread(count: number): number[] {
  const order = new Set<number>();
  for (let i = 1; order.size < count; i++) order.add(Math.floor(mirrored(i) * count));
  return [...order];
}

/** The van der Corput number of i: its binary digits, reversed behind the point. */
function mirrored(i: number): number {
  let value = 0;
  for (let place = 0.5; i > 0; i >>= 1, place /= 2) value += place * (i & 1);
  return value;
}
