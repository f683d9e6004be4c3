import { parseSlice } from '../../input/data/data-parts.ts';
import type { TextFile } from '../../input/data/text-file.ts';
import type { FolderFiles } from '../../input/formats/files.ts';
import { FROZEN } from '../../methods/tuners/tuner.ts';
import type { Certainty, ExampleSet, Scores } from '../../program/example-set.ts';
import { Program } from '../../program/program.ts';
import type { Baseline } from '../../scores/baselines/baseline.ts';
import { type ScoreName, scoreDefinition } from '../../scores/metrics/scores.ts';
import { releasing } from '../../support/opened.ts';
import { UserError } from '../../support/user-error.ts';
import { heldOutShare, trainingFiles, type ValidationFiles } from '../../tasks/data-files.ts';
import type { ReadingFlags } from '../../tasks/prediction.ts';
import { listMetrics } from '../../tasks/registry.ts';
import { withContents } from '../../tasks/task-definition.ts';
import { RUN_FILES, runYaml } from '../../training/run/run-files.ts';
import { isNoBetterThanFloor, type Verdict } from '../../training/run/verdict.ts';
import type { TrainedModel } from '../../use/trained/trained-model.ts';
import { numberRows } from './contenders/fit-rows.ts';
import { frozenProbe, unitOutputs } from './contenders/frozen.ts';
import type { RunMachine } from './machine.ts';
import { joined, splitRows } from './run-rows.ts';
import { PROBE } from './verdict/diagnose.ts';
import { countedRows } from './verdict/judge-run.ts';

/**
 * Compares the scores of a trained model on some files with baselines that are fitted on the run's training
 * rows. If these are unknown, only the baseline that ignores the text is used, fitted on the scored rows.
 *
 * @param run the folder of the trained model, which may be a run's
 * @param here the machine with the files of the run's data
 * @param files with what their rows name, such as pictures
 */
export async function judgeEvaluation(
  trained: Pick<TrainedModel, 'task' | 'definition' | 'labels' | 'context' | 'parts'>,
  {
    run,
    here,
    files,
    flags,
    scores,
    certainty,
  }: {
    run: FolderFiles;
    here: Pick<RunMachine, 'has' | 'data'>;
    files: readonly TextFile[];
    flags: ReadingFlags;
    scores: Scores;
    certainty: Certainty | undefined;
  },
): Promise<Verdict | undefined> {
  const task = trained.definition();
  const ownReading = trained.context().reading;
  const reading = task.files.withFlags(ownReading, flags, files[0]!.name);
  const score = listMetrics(trained.task!, reading as Parameters<typeof listMetrics>[1])[0]!;
  const value = scores[`eval_${score}`];
  if (value === undefined) return undefined;
  const rows = task.files.read(files, reading);
  const learnt = await trainingRows(run, here, trained, ownReading);
  const { labels } = trained;
  const ofRows = (await task.baselines?.ofRows?.(learnt?.rows ?? rows, rows, { labels, reading })) ?? [];
  const ofTokens = () => {
    const context = trained.context(reading);
    const scored = task.examples(rows, context);
    return task.baselines?.ofTokens?.(learnt?.examples ?? scored, scored, context.config.vocabSize) ?? [];
  };
  const probe = learnt && (await probeBaseline(trained, learnt.rows, rows, reading));
  const to_beat = [...ofRows, ...(probe ? [probe] : []), ...(task.baselines?.ofTokens ? ofTokens() : [])]
    .filter(({ isBlind }) => learnt !== undefined || isBlind)
    .map(({ name, isBlind, scores }) => ({
      name,
      value: scores[score as ScoreName] ?? Number.NaN,
      is_blind: isBlind,
    }));
  const interval = certainty?.interval(score);
  const average = task.classes?.averages?.(labels)[score];
  return {
    score,
    value,
    to_beat,
    findings: [],
    average,
    interval: interval && [...interval],
    ...countedRows(certainty),
    learnt: !isNoBetterThanFloor(value, to_beat, scoreDefinition(score)?.lessIsBetter),
  };
}

/**
 * A linear probe of the model without its adapter, fitted to the run's training rows. Undefined for a model without an
 * adapter, whose weights are not those before training.
 */
async function probeBaseline(
  trained: Pick<TrainedModel, 'definition' | 'context' | 'parts'>,
  learnt: unknown,
  rows: unknown,
  reading: object,
): Promise<Baseline | undefined> {
  const task = trained.definition();
  const { engine, model, tuner, communicator } = trained.parts;
  const probing = tuner === FROZEN.tuner ? undefined : task.training.probing?.(reading, model);
  if (!probing) return undefined;
  const evaluated = (rows: unknown) =>
    task.evaluation(rows, trained.context(probing), task.training.batchSize.eval).rows;
  const [train, scored] = [evaluated(learnt), evaluated(rows)];
  if (!train || !scored) return undefined;
  const program = new Program(engine, model, FROZEN.tuner, { communicator });
  return releasing(program, async () => {
    const frozen = { program, values: FROZEN.values };
    const { fitted, strength } = await frozenProbe(train, frozen, { seed: 0 });
    const [layer] = await fitted.fit([strength]);
    const all = numberRows(scored);
    const features = await scored.features(frozen, all);
    const found = scored.scores(
      features.map((row) => unitOutputs(layer!, row)),
      all,
    );
    return {
      name: PROBE,
      isBlind: false,
      scores: Object.fromEntries(
        Object.entries(found).map(([key, value]) => [key.slice('eval_'.length), value]),
      ),
    };
  });
}

/**
 * The training rows of a run, with their examples if baselines need them. Undefined if the run's files no
 * longer exist.
 */
async function trainingRows(
  run: FolderFiles,
  here: Pick<RunMachine, 'has' | 'data'>,
  trained: Pick<TrainedModel, 'definition' | 'context'>,
  reading: object,
): Promise<{ rows: unknown; examples: ExampleSet | undefined } | undefined> {
  if (!run.has(RUN_FILES.config)) return undefined;
  const { data } = Object(runYaml(run)) as {
    data?: { dataset?: string; train: string | readonly string[]; validation?: ValidationFiles };
  };
  if (!data || data.dataset !== undefined) return undefined;
  const paths = trainingFiles(data);
  if (!paths.every((path) => here.has(parseSlice(`${path}`)?.path ?? `${path}`))) return undefined;
  const task = trained.definition();
  try {
    const parts = await Promise.all(
      paths.map(async (path) => {
        const { takesFolders } = task.files;
        const files = await here.data(data, path, { takesFolders, key: 'data.train' });
        return task.files.read(await withContents(files, task, trained.context().modality, reading), reading);
      }),
    );
    const all = joined(task, parts);
    const share = heldOutShare(data.validation);
    const held = share === undefined ? undefined : splitRows(task, all, reading, share);
    const rows = held?.train ?? all;
    return {
      rows,
      examples: task.baselines?.ofTokens && task.examples(rows, trained.context()),
    };
  } catch (error) {
    // The file has changed since the run, and no longer matches its settings.
    if (error instanceof UserError) return undefined;
    throw error;
  }
}
