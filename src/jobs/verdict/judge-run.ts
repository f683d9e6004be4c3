import { scoreFacts } from '../../metrics/scores.ts';
import type { Certainty } from '../../program/example-set.ts';
import { usualRate } from '../../run/config/defaults/policy.ts';
import type { FinishEvent } from '../../run/events.ts';
import { isNoBetterThanFloor, type Verdict } from '../../run/verdict.ts';
import { chiefScore } from '../../tasks/chief-score.ts';
import { taskNamed } from '../../tasks/registry.ts';
import type { Trainer } from '../../train/trainer.ts';
import type { RunBeginning } from '../begin-run.ts';
import type { SetUpRun } from '../set-up-run.ts';
import { diagnose, diagnoseLosses, type Symptoms } from './diagnose.ts';
import { notScored } from './not-scored.ts';
import { toBeat } from './to-beat.ts';

/** Adds a verdict to the end of a run. Every process of the run calls this. */
export async function judgeRun(
  run: RunBeginning,
  { inputs, settings }: SetUpRun,
  trainer: Pick<Trainer, 'seen' | 'losses' | 'before'>,
  finish: FinishEvent,
): Promise<FinishEvent> {
  const { config, labels } = run;
  const name = config.training.metric_for_best_model;
  const value: number | undefined = finish.metrics[`eval_${name}`];
  if (finish.reason === 'stopped' || value === undefined) return finish;
  const seen = await trainer.seen();
  // Only the first process reports the verdict.
  if ((inputs.communicator?.rank ?? 0) > 0) return finish;
  const { score, set } = chiefScore(config);
  // With several validation sets, only the first has an interval.
  const certainty = set === 0 ? seen?.certainty : undefined;
  const interval = certainty?.interval(score);
  const before = trainer.before?.[`eval_${name}`];
  const to_beat = [
    ...toBeat(run),
    ...(before === undefined
      ? []
      : [{ name: 'the model before training', value: before, is_blind: false, is_start: true }]),
  ];
  const task = taskNamed(config.task);
  const average = task.classes?.averages?.(labels)[score];
  const lessIsBetter = scoreFacts(score)?.lessIsBetter ?? false;
  const verdict: Verdict = {
    score: name,
    ...(average !== undefined && { average }),
    value,
    ...(interval && { interval: [...interval] }),
    ...countedRows(certainty),
    to_beat,
    learnt: !isNoBetterThanFloor(value, to_beat, lessIsBetter),
    findings: [],
  };
  verdict.findings = diagnose(verdict, {
    ...symptomsOf(run, { inputs, settings }, trainer),
    lessIsBetter,
    confusion: set === 0 ? seen?.confusion : undefined,
  });
  return { ...finish, verdict };
}

/** The number of scored rows, and of their groups if some have a text in common. */
export function countedRows(certainty: Certainty | undefined): Pick<Verdict, 'rows' | 'groups'> {
  if (!certainty) return {};
  const [rows, groups] = [certainty.groups.length, new Set(certainty.groups).size];
  return { rows, ...(groups < rows && { groups }) };
}

/** Warnings about a finished run that was not scored on held-out rows. */
export function unscoredNotices(
  run: RunBeginning,
  setUp: SetUpRun,
  trainer: Pick<Trainer, 'losses' | 'before'>,
  { reason, metrics }: FinishEvent,
): string[] {
  if (reason === 'stopped' || `eval_${run.config.training.metric_for_best_model}` in metrics) return [];
  const findings = diagnoseLosses(
    symptomsOf(run, setUp, trainer),
    taskNamed(run.config.task).training.keepsHead !== true,
  );
  return [
    ...findings.map(({ message, remedy }) => `${message} ${remedy}`),
    ...notScored(run.chosen).map((why) => `The model was not scored${why}`),
  ];
}

function symptomsOf(
  run: RunBeginning,
  { inputs: { train, model }, settings }: Pick<SetUpRun, 'inputs' | 'settings'>,
  { losses, before }: Pick<Trainer, 'losses' | 'before'>,
): Symptoms {
  const { config } = run;
  return {
    lessIsBetter: false,
    isCrossEntropy: taskNamed(config.task).training.smoothsLabels === true,
    losses,
    floorLoss: before?.eval_loss ?? run.baselines().find(({ isBlind }) => isBlind)?.scores.loss,
    learningRate: config.training.learning_rate,
    usualRate: usualRate({ ...config, model }),
    steps: settings.totalSteps,
    epochs: settings.totalSteps / settings.stepsPerEpoch,
    truncatedShare: train.truncated / train.lengths.length,
    maxLength: run.maxLength,
  };
}
