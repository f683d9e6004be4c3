import type { EvaluatedRows, ExampleSet, ScoredRows } from '../../program/example-set.ts';
import { withOwnScores } from '../../program/own-scores.ts';
import { joinValidation, type Validation } from '../../program/validation.ts';
import { type Baseline, meanBaselines } from '../../scores/baselines/baseline.ts';
import { chiefScore } from '../../tasks/data-files.ts';
import type { EncodingContext } from '../../tasks/prediction.ts';
import { taskNamed } from '../../tasks/registry.ts';
import type { ReadRun } from './begin-run.ts';
import { layerFitter } from './contenders/fit-rows.ts';

/** A run's rows in the form that the model reads. */
export interface RunExamples {
  train: ExampleSet;
  validation?: Validation;
  /** The training rows, as a linear probe reads them. Undefined if no probe can be fitted. */
  learned?: EvaluatedRows | undefined;
  /** Undefined for a run without rows that judge it, and for tasks whose rows are not scored one by one. */
  judge?: Judge | undefined;
}

/** The rows that judge a run: those of all folds, or of a validation set. */
export interface Judge {
  /** As the run's own model reads them. */
  own: ScoredRows;
  /** As a linear probe reads them. Undefined if rows are compared with each other, so that a probe has no targets. */
  probed?: EvaluatedRows | undefined;
  /** In a cross-validation, the rows of each fold. */
  folds?: readonly Int32Array[];
}

/** The results of a task's preparation for the rows of a run. */
export interface PreparedRows {
  train: readonly Float32Array[];
  validation: readonly (readonly Float32Array[])[];
}

interface EncodingOptions {
  /** The time that chat templates use. */
  startedAt: Date;
  onProgress?: (share: number) => void;
}

/** The facts that a task needs to make examples of a run's rows. */
export function encodingContext(
  { config, labels, family, modality, generationFiles }: ReadRun,
  { startedAt, ...shared }: EncodingOptions,
): EncodingContext {
  return {
    modality: modality.at(startedAt),
    config: family.config,
    generationFiles,
    reading: config.data,
    labels,
    seed: config.seed,
    ...shared,
  };
}

/** Tokenizes all examples of a run. */
export function encodeRun(
  run: ReadRun,
  { prepared, ...options }: EncodingOptions & { prepared?: PreparedRows | undefined },
): RunExamples {
  const { config, rows, classWeights, family } = run;
  const task = taskNamed(config.task);
  const { train, validation, folds } = rows;
  const context = { ...encodingContext(run, options), prepared: prepared?.train };
  const batchSize = config.training.per_device_eval_batch_size;
  const ofTrain = (more: object) => task.evaluation(train, { ...context, ...more }, batchSize);
  const ofSet = (i: number, more: object) =>
    task.evaluation(
      validation[i]!.rows,
      { ...context, prepared: prepared?.validation[i], ...more },
      batchSize,
    );
  const set = decisiveSet(run);
  const probing = task.training.probing?.(config.data, family);
  // A linear probe may read the rows in its own way. Then it needs rows that judge it.
  const isSame = probing?.isOfHead === true;
  const isProbed = isSame || folds !== undefined || set !== undefined;
  const probed = probing && isProbed ? ofTrain({ reading: probing.reading, classWeights }) : undefined;
  const compared = folds && task.training.comparesRows ? ofTrain({}) : undefined;
  const examples =
    (isSame ? probed : compared)?.examples ?? task.examples(train, { ...context, classWeights });
  const layer = probed?.rows && layerFitter(probed.rows, classWeights);
  const scored = validation.map((_, i) => ofSet(i, { layer }));
  const sets = joinValidation(
    validation.map(({ name }, i) => [name, withOwnScores(scored[i]!, run.ownScores)]),
  );
  const judgeByFolds = (folds: readonly (readonly number[])[]): Judge | undefined => {
    if (!compared?.compared && !probed?.rows) return undefined;
    const own = compared?.compared ?? (isSame ? probed : ofTrain({ classWeights }))?.rows;
    return own && { own, probed: probed?.rows, folds: listFoldExamples(folds, examples) };
  };
  const judgeBySet = (at: number): Judge | undefined => {
    const evaluation = scored[at];
    if (evaluation?.compared) return { own: evaluation.compared };
    const probed = isSame ? evaluation : probing && ofSet(at, { reading: probing.reading });
    return evaluation?.rows && probed?.rows && { own: evaluation.rows, probed: probed.rows };
  };
  const at = isSame ? chiefScore(config).set : set;
  const judge = run.folds ? judgeByFolds(run.folds) : at === undefined ? undefined : judgeBySet(at);
  return { train: examples, validation: sets, learned: probed?.rows, judge };
}

/**
 * The examples of each fold.
 *
 * @param folds numbers of rows
 */
function listFoldExamples(
  folds: readonly (readonly number[])[],
  { rows, lengths }: ExampleSet,
): Int32Array[] {
  const all = Int32Array.from(lengths.keys());
  return folds.map((fold) => {
    const held = new Set(fold);
    return all.filter((example) => held.has(rows?.[example] ?? example));
  });
}

/** The number of the validation set that judges the run. Undefined for a run without one. */
function decisiveSet({ config, rows }: ReadRun): number | undefined {
  const { set } = chiefScore(config);
  return config.training.eval_strategy === 'no' || !rows.validation[set] ? undefined : set;
}

/** Baselines on the rows that judge the run: those of the validation set, or of all folds. Empty if there are none. */
export async function fitBaselines(
  run: ReadRun,
  { train: trained, validation: sets }: RunExamples,
  prepared?: PreparedRows,
): Promise<readonly Baseline[]> {
  const { config, labels, family, rows } = run;
  const { data } = config;
  const task = taskNamed(config.task);
  const { train, validation, folds } = rows;
  const context = { labels, reading: data };
  const splittable = task.files.splittable?.(train, data);
  if (folds && splittable) {
    const found = [];
    for (const fold of folds) {
      const parts = [splittable.pick(fold.train), splittable.pick(fold.validation)] as const;
      const baselines = (await task.baselines?.ofRows?.(...parts, context)) ?? [];
      found.push({ rows: fold.validation.length, baselines });
    }
    return meanBaselines(found);
  }
  const set = decisiveSet(run);
  if (set === undefined) return [];
  const ofSet = { ...context, prepared: prepared?.validation[set] };
  const ofRows = await task.baselines?.ofRows?.(train, validation[set]!.rows, ofSet);
  const scored = sets?.parts[set]?.examples;
  const ofTokens = scored && task.baselines?.ofTokens?.(trained, scored, family.config.vocabSize);
  return [...(ofRows ?? []), ...(ofTokens ?? [])];
}
