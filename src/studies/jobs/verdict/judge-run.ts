import type { Certainty } from '../../../program/example-set.ts';
import type { OwnScores } from '../../../program/own-scores.ts';
import type { ScoreInterval } from '../../../scores/metrics/score-interval.ts';
import { scoreDefinition } from '../../../scores/metrics/scores.ts';
import { mapValues } from '../../../support/options.ts';
import { chiefScore } from '../../../tasks/data-files.ts';
import { taskNamed } from '../../../tasks/registry.ts';
import { usualRate } from '../../../training/run/config/defaults/policy.ts';
import type { FinishEvent } from '../../../training/run/events.ts';
import { isNoBetterThanFloor, type ToBeat, type Verdict } from '../../../training/run/verdict.ts';
import { type Seen, shownConfusion, watching } from '../../../training/train/evaluations.ts';
import { notScored, type ReadRun } from '../begin-run.ts';
import { type ContenderKind, correctedInterval } from '../contenders/choose.ts';
import type { Conclusion, Run } from '../run.ts';
import { diagnose, diagnoseLosses, isAlreadyRight, type Symptoms, TUNED, toBeat } from './diagnose.ts';

/** Adds a verdict to the end of a run. */
export async function judge(run: Run): Promise<void> {
  const finish = await judgeRun(run, run.trained);
  run.finish = { ...finish, total_runtime: (performance.now() - run.startedAt) / 1000 };
}

/** Stores the result of a run, unless it was stopped, and reports how it ended. */
export async function finish(run: Run): Promise<void> {
  const { finish, result } = run;
  if (result) await run.store.keep(run, finish, result);
  for (const message of unscoredNotices(run)) run.notice(message, finish.step);
  run.emit(finish);
}

async function judgeRun(run: Run, finish: FinishEvent): Promise<FinishEvent> {
  const { trainer, conclusion } = run;
  const { config, labels } = run.files;
  const name = config.training.metric_for_best_model;
  const { score, set } = chiefScore(config);
  const concluded = conclusion?.isRescored
    ? await concludedScores(run.files, conclusion, finish, name, score)
    : undefined;
  const metrics = concluded?.metrics ?? finish.metrics;
  const value: number | undefined = concluded?.value ?? metrics[`eval_${name}`];
  if (finish.reason === 'stopped' || value === undefined) return finish;
  const seen = concluded?.seen ?? (await trainer.seen());
  // Only the first process reports the verdict.
  if (!run.isFirst) return { ...finish, metrics };
  // With several validation sets, only the first has an interval.
  const certainty = set === 0 ? seen?.certainty : undefined;
  const plain = certainty?.interval(score);
  const interval =
    plain && within(score, plain, value - (concluded?.raw ?? value), run.files.folds !== undefined);
  const to_beat = listOthers(run, name, score);
  const task = taskNamed(config.task);
  const average = task.classes?.averages?.(labels)[score];
  const lessIsBetter = scoreDefinition(score)?.lessIsBetter ?? false;
  const verdict: Verdict = {
    score: name,
    average,
    value,
    interval: interval && [...interval],
    ...countedRows(certainty),
    folds: run.files.folds?.length,
    kept: conclusion?.result.kind,
    to_beat,
    learnt:
      conclusion?.beatsConstant ??
      (conclusion?.result.kind !== 'start' &&
        !isNoBetterThanFloor(
          value,
          to_beat.filter((other) => !(other.is_start && isAlreadyRight(other.value, score))),
          lessIsBetter,
        )),
    findings: [],
  };
  const diagnosed = diagnose(verdict, {
    ...findSymptoms(run),
    lessIsBetter,
    confusion: set === 0 ? seen?.confusion : undefined,
  });
  verdict.findings = [...diagnosed, ...(run.files.language ? [run.files.language] : [])];
  // A constant has the same confidence in every row.
  const mistakes = set === 0 && verdict.kept !== 'constant' ? seen?.mistakes?.() : undefined;
  const confusion = set === 0 && seen?.confusion ? shownConfusion(seen.confusion) : undefined;
  return { ...finish, metrics, verdict, mistakes, confusion };
}

/** The scores of simpler models, and of those that were not chosen. */
function listOthers({ files, baselines, conclusion, trainer }: Run, name: string, score: string): ToBeat[] {
  const scoreOf = (kind: ContenderKind) => conclusion && scoreOfOther(conclusion, kind, score);
  const before =
    conclusion?.result.kind === 'start' ? undefined : (scoreOf('start') ?? trainer.before?.[`eval_${name}`]);
  const tuned = scoreOf('tuned');
  return [
    ...toBeat(files.config, baselines, scoreOf('probe')),
    ...(tuned === undefined ? [] : [{ name: TUNED, value: tuned, is_blind: false }]),
    ...(before === undefined
      ? []
      : [{ name: 'the model before training', value: before, is_blind: false, is_start: true }]),
  ];
}

/** The scores of what a run leaves behind. */
async function concludedScores(
  { ownScores, folds }: ReadRun,
  { rows, outputs, judged, choice }: Conclusion,
  finish: FinishEvent,
  name: string,
  score: string,
): Promise<{
  metrics: Record<string, number>;
  /** The chief score, corrected for the choice. */
  value: number;
  seen: Seen;
  /** The chief score before it is corrected for the choice. */
  raw: number;
}> {
  const seen: Seen = {};
  let answers: Parameters<OwnScores['compute']> | undefined;
  rows.tell(outputs, judged, {
    ...watching(seen),
    onAnswers(...told) {
      answers = told;
    },
  });
  const own = ownScores && answers ? await ownScores.compute(...answers) : {};
  const scores: Record<string, number> = {
    ...rows.scores(outputs, judged),
    ...prefixKeys(own),
  };
  const raw = scores[`eval_${score}`] ?? Number.NaN;
  const corrected = mapValues(choice.optimism, (by, name) => {
    const sign = scoreDefinition(name)?.lessIsBetter ? -1 : 1;
    return (scores[`eval_${name}`] ?? Number.NaN) - sign * by;
  });
  // With several validation sets, those that judge nothing keep their scores.
  const prefixed = name === score ? scores : {};
  return {
    // An evaluation of a validation set gives the same scores again. Nothing gives those of a cross-validation again.
    metrics: { ...finish.metrics, ...prefixed, ...(folds && prefixKeys(corrected)) },
    value: corrected[score]!,
    seen,
    raw,
  };
}

function prefixKeys(scores: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(scores).map(([name, value]) => [`eval_${name}`, value]));
}

/** The chief score of a contender that is not the result. */
function scoreOfOther(
  { rows, choice, contenders, result }: Conclusion,
  kind: ContenderKind,
  score: string,
): number | undefined {
  const i = contenders.findIndex((contender) => contender.kind === kind);
  if (i < 0 || kind === result.kind) return undefined;
  const outputs = contenders[i]!.versions[choice.versions[i]!]!;
  const found: Partial<Record<string, number>> = rows.scores(outputs, choice.rows);
  return found[`eval_${score}`];
}

/** The corrected interval of a score, within its range. */
function within(score: string, plain: ScoreInterval, by: number, isFolded: boolean): ScoreInterval {
  if (!Number.isFinite(by)) return plain;
  const [low, high] = correctedInterval(plain, by, isFolded);
  if (!scoreDefinition(score)?.isShare) return [low, high];
  return [plain[0] >= 0 ? Math.max(0, low) : low, Math.min(1, high)];
}

/** The number of scored rows, and of their groups if some have a text in common. */
function countedRows(certainty: Certainty | undefined): Pick<Verdict, 'rows' | 'groups' | 'candidates'> {
  if (!certainty) return {};
  const [rows, groups] = [certainty.groups.length, new Set(certainty.groups).size];
  return { rows, groups: groups < rows ? groups : undefined, candidates: certainty.candidates };
}

/** Warnings about a finished run that was not scored on held-out rows. */
function unscoredNotices(run: Run): string[] {
  const { chosen, config } = run.files;
  const { reason, metrics } = run.finish;
  if (reason === 'stopped' || `eval_${config.training.metric_for_best_model}` in metrics) return [];
  const findings = diagnoseLosses(findSymptoms(run), taskNamed(config.task).training.keepsHead !== true);
  return [
    ...findings.map(({ message, remedy }) => `${message} ${remedy}`),
    ...notScored(chosen).map((why) => `The model was not scored${why}`),
  ];
}

function findSymptoms({ files, training, trainer: { losses, before }, baselines }: Run): Symptoms {
  const { config, maxLength } = files;
  const {
    inputs: { train, model },
    settings,
  } = training;
  // A contrastive loss is of another kind than the losses of baselines.
  const isContrast = model.layer !== undefined && !model.layer.inLoss;
  return {
    lessIsBetter: false,
    isCrossEntropy: taskNamed(config.task).training.smoothsLabels === true && !isContrast,
    losses,
    floorLoss: isContrast
      ? undefined
      : (before?.eval_loss ?? baselines.find(({ isBlind }) => isBlind)?.scores.loss),
    learningRate: config.training.learning_rate,
    usualRate: usualRate({ ...config, model }),
    steps: settings.totalSteps,
    epochs: settings.totalSteps / settings.stepsPerEpoch,
    truncatedShare: train.truncated / train.lengths.length,
    maxLength,
  };
}
