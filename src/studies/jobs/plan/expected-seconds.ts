import { paddedTokens, planEpoch } from '../../../input/text/batches.ts';
import { ALONE_PROCESSES } from '../../../program/parallel/communicator.ts';
import { addUp, largest } from '../../../support/numbers.ts';
import { releasing } from '../../../support/opened.ts';
import { UserError } from '../../../support/user-error.ts';
import { taskNamed } from '../../../tasks/registry.ts';
import { estimateWork } from '../../../training/run/config/defaults/policy.ts';
import { Trainer } from '../../../training/train/trainer.ts';
import { type TrainerSettings, trainerSettings } from '../../../training/train/trainer-settings.ts';
import type { ReadRun } from '../begin-run.ts';
import { listTrainedSplits, withoutEvaluation } from '../contenders/folds.ts';
import type { RunExamples } from '../encode-run.ts';
import { type RunMachine, withThreads } from '../machine.ts';
import { neededPreparation } from '../read-run.ts';
import { beginTraining, type Prepared } from '../set-up-run.ts';

/**
 * Time of training steps on all rows, in that of a prediction of the same rows. Predictions have larger batches with less
 * padding (bench/log/2026-12-03-seconds.md).
 */
const STEP_COST = 2.5;
/** Number of steps that are measured, after one that allocates memory, and the seconds after which none begins. */
const MEASURED_STEPS = 6;
const MEASURED_SECONDS = 3;
/** Limit of a step's work, as parameters of linear layers times tokens. A larger step would take over ten seconds. */
const STEP_WORK = 3e11;

/** The work of a run and its cross-validation. */
interface Ahead {
  /** Number of steps of the cross-validation. */
  foldSteps: number;
  /** Number of trainings in the cross-validation. */
  folds: number;
  /** The predictions of as many rows as the training set has that take as long as the run. */
  passes: number;
}

/** Counts the work of a run. */
export function countAhead(run: Pick<Prepared, 'files' | 'examples'> & TrainedModules): Ahead {
  const { config } = run.files;
  const { train, validation, learned } = run.examples;
  const rows = train.lengths.length;
  const splits = listTrainedSplits(run);
  const kept = splits.map((split) => split.kept.length);
  const epochsOf = (settings: TrainerSettings) => settings.totalSteps / settings.stepsPerEpoch;
  const settings = trainerSettings(config, rows);
  const epochs =
    epochsOf(settings) + addUp(kept, (count) => (epochsOf(trainerSettings(config, count)) * count) / rows);
  const { evaluate, totalSteps } = settings;
  const evaluations =
    evaluate === 'epoch' ? Math.ceil(epochsOf(settings)) : evaluate && Math.ceil(totalSteps / evaluate);
  const scored = addUp(validation?.parts ?? [], ({ examples }) => addUp(examples.lengths));
  // An evaluation fits a layer to the features of all training rows.
  const perEvaluation = scored / addUp(train.lengths) + (learned ? 1 : 0);
  // The probe, each fold and the result read the features of all rows.
  const ofFeatures = learned ? splits.length + 2 : splits.length;
  return {
    foldSteps: addUp(kept, (count) => trainerSettings(config, count).totalSteps),
    folds: splits.length,
    passes: STEP_COST * epochs + evaluations * perEvaluation + ofFeatures,
  };
}

/** A plan needs no weights, so they may be missing. The run itself reports errors in them. */
function unread(error: unknown): undefined {
  if (!(error instanceof UserError)) throw error;
}

type TrainedModules = Parameters<typeof listTrainedSplits>[0];

/**
 * Estimates the seconds of a run, from some of its first steps. Undefined if something else precedes its steps, or if they
 * would take long themselves.
 */
export async function expectSeconds(
  machine: RunMachine,
  files: ReadRun,
  examples: RunExamples,
): Promise<number | undefined> {
  const { config, family } = files;
  const { data, task, base_dtype, model_init, threads } = config;
  const { train } = examples;
  const isPrepared =
    neededPreparation(config) !== undefined || taskNamed(task).teaching?.sources(data).teacher !== undefined;
  if (isPrepared || family.config.content || base_dtype !== 'float32' || model_init === 'random')
    return undefined;
  const { seed, groupByLength, accumulation, ...planned } = trainerSettings(config, train.lengths.length);
  const { batchSize, stepsPerEpoch } = planned;
  const tokensIn = (epoch: number) =>
    planEpoch({ ...train, batchSize, seed, epoch, groupByLength }).map((batch) =>
      paddedTokens(batch, train.lengths),
    );
  const tokens = tokensIn(0);
  const inStep = (step: number) => {
    const start = (step % stepsPerEpoch) * accumulation;
    const epoch = Math.floor(step / stepsPerEpoch);
    return addUp((epoch === 0 ? tokens : tokensIn(epoch)).slice(start, start + accumulation));
  };
  const { linears } = files.model();
  if (estimateWork(linears, accumulation * largest(tokens)) > STEP_WORK) return undefined;
  const startedAt = performance.now();
  const base = await machine
    .open(files, withThreads({ threads }, ALONE_PROCESSES), () => () => {})
    .catch(unread);
  if (!base) return undefined;
  const run = { files, base, examples };
  const times = await timeSteps(machine, run).finally(() => base.model.close());
  const opened = (performance.now() - startedAt) / 1000 - addUp(times);
  const [first, end] = times.length > 1 ? [1, times.length] : [0, 1];
  const steps = Array.from({ length: end - first }, (_, i) => first + i);
  const perToken = addUp(steps, (step) => times[step]!) / addUp(steps, inStep);
  const { passes, folds } = countAhead(run);
  const perPass = (perToken * addUp(tokens)) / STEP_COST;
  return opened * (1 + folds) + passes * perPass;
}

/** Takes the first steps of a training without its evaluations. Returns the seconds of each. */
async function timeSteps(machine: RunMachine, run: Parameters<typeof beginTraining>[0]): Promise<number[]> {
  const startedAt = performance.now();
  const { inputs, settings } = beginTraining(run, run.examples.train);
  let last = 0;
  const times: number[] = [];
  const trainer = new Trainer(
    inputs,
    { ...withoutEvaluation(settings), stopStep: Math.min(1 + MEASURED_STEPS, settings.totalSteps) },
    {
      emit() {},
      shouldStop: () => times.length > 1 && performance.now() - startedAt > 1000 * MEASURED_SECONDS,
      peakMemoryMb: machine.peakMemoryMb,
      async onStepEnd() {
        const now = performance.now();
        times.push((now - last) / 1000);
        last = now;
        return {};
      },
    },
  );
  await releasing(trainer, async () => {
    await trainer.prepare();
    last = performance.now();
    await trainer.run();
  });
  return times;
}
