import type { ComparedRows, EvaluatedRows, ExampleSet } from '../../program/example-set.ts';
import { withOwnScores } from '../../program/own-scores.ts';
import { joinValidation, type Validation } from '../../program/validation.ts';
import { type Baseline, meanBaselines } from '../../scores/baselines/baseline.ts';
import { chiefScore } from '../../tasks/data-files.ts';
import { taskNamed } from '../../tasks/registry.ts';
import type { RunBeginning } from './begin-run.ts';
import { layerFitter } from './contenders/fit-rows.ts';

/** A run's rows in the form that the model reads. */
export interface EncodedRun {
  train: ExampleSet;
  validation?: Validation;
  /** The training rows, and those of the validation set that judges the run, as a linear probe reads them. */
  rows?: EvaluatedRows | undefined;
  /** The training rows of a cross-validation, as the run's own head reads them. */
  headRows?: EvaluatedRows | undefined;
  validationRows?: EvaluatedRows | undefined;
  /** For tasks that compare rows: the rows that judge the run, those of all folds or of the validation set. */
  compared?: ComparedRows | undefined;
  /**
   * Baselines on the rows that judge the run: those of the validation set, or of all folds. Empty if there are none.
   */
  baselines(): Promise<readonly Baseline[]>;
}

/**
 * Tokenizes all examples of a run.
 *
 * @param startedAt the time that chat templates use
 */
export function encodeRun(
  run: RunBeginning,
  startedAt: Date,
  onProgress?: (share: number) => void,
): EncodedRun {
  const { config, rows, labels, classWeights, family, modality, generationFiles } = run;
  const { seed, data } = config;
  const task = taskNamed(config.task);
  const { train, validation, folds } = rows;
  const context = {
    modality: modality.at(startedAt),
    config: family.config,
    generationFiles,
    reading: data,
    labels,
    seed,
    onProgress,
  };
  const evaluated = (rows: unknown, more: object) =>
    task.evaluation(rows, { ...context, ...more }, config.training.per_device_eval_batch_size);
  const set = decisiveSet(run);
  const probing = task.training.probing?.(data, family);
  // A linear probe reads the rows in its own way, which may be the run's. Otherwise it needs rows that judge it.
  const isSame = probing === data;
  const isProbed = isSame || folds !== undefined || set !== undefined;
  const onTrain = probing && isProbed ? evaluated(train, { reading: probing, classWeights }) : undefined;
  const comparing = folds && task.training.comparesRows ? evaluated(train, {}) : undefined;
  const examples =
    (isSame ? onTrain : comparing)?.examples ?? task.examples(train, { ...context, classWeights });
  const layer = onTrain?.rows && layerFitter(onTrain.rows, classWeights);
  const scored = validation.map(({ rows }) => evaluated(rows, { layer }));
  const sets = joinValidation(
    validation.map(({ name }, i) => [name, withOwnScores(scored[i]!, run.ownScores)]),
  );
  return {
    train: examples,
    validation: sets,
    rows: onTrain?.rows,
    headRows: isSame ? onTrain?.rows : folds && evaluated(train, { classWeights }).rows,
    validationRows: isSame
      ? scored[chiefScore(config).set]?.rows
      : set !== undefined && probing
        ? evaluated(validation[set]!.rows, { reading: probing }).rows
        : undefined,
    compared: comparing ? comparing.compared : set === undefined ? undefined : scored[set]?.compared,
    baselines: () => fitBaselines(run, examples, set === undefined ? undefined : sets?.parts[set]?.examples),
  };
}

/** The number of the validation set that judges the run. Undefined for a run without one. */
function decisiveSet({ config, rows }: RunBeginning): number | undefined {
  const { set } = chiefScore(config);
  return config.training.eval_strategy === 'no' || !rows.validation[set] ? undefined : set;
}

/** @param scored the examples of the validation set that judges the run */
async function fitBaselines(
  run: RunBeginning,
  trained: ExampleSet,
  scored: ExampleSet | undefined,
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
  const ofRows = await task.baselines?.ofRows?.(train, validation[set]!.rows, context);
  const ofTokens = scored && task.baselines?.ofTokens?.(trained, scored, family.config.vocabSize);
  return [...(ofRows ?? []), ...(ofTokens ?? [])];
}
