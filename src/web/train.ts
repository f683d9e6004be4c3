import { adapterFiles as filesOfAdapter } from '../formats/adapters/adapter-files.ts';
import { digestsIn, filesFrom, type PageFile } from '../formats/file-set.ts';
import { beforeFirstStep } from '../jobs/before-first-step.ts';
import { beginRun, type RunBeginning } from '../jobs/begin-run.ts';
import { everySecond } from '../jobs/every-second.ts';
import { namedFunctions } from '../jobs/named-functions.ts';
import { restoreTrainer } from '../jobs/restore-trainer.ts';
import { runResults } from '../jobs/run-results.ts';
import { setUpRun, startNotices } from '../jobs/set-up-run.ts';
import { shortenedFamily } from '../jobs/shortened-family.ts';
import { startEvent } from '../jobs/start-event.ts';
import { startFrom } from '../jobs/start-from.ts';
import { judgeRun, unscoredNotices } from '../jobs/verdict/judge-run.ts';
import { ownScoresOf } from '../program/own-scores.ts';
import type { FinishEvent, ProgressEvent, TrainEvent } from '../run/events.ts';
import { UserError } from '../support/user-error.ts';
import { trainingFiles, validationFiles } from '../tasks/data-files.ts';
import { maxLengthOf } from '../tasks/registry.ts';
import { checkedControl, type OnStepEnd } from '../train/step-control.ts';
import { Trainer } from '../train/trainer.ts';
import { DESCRIBING_FILES } from '../trained/full-model.ts';
import { readAdapterSet, readNotesIn } from './adapter-set.ts';
import { CHECKPOINT, keptRun } from './kept-run.ts';
import { loadWeights, newWeights } from './load-weights.ts';
import { type PageConfig, type PageRunConfig, parsePageConfig } from './page-config.ts';
import { modelFiles, type PageOptions, runsOn } from './page-options.ts';
import { type PageTexts, pageTextFile } from './page-text-file.ts';
import { type DescribedModel, readModel } from './read-model.ts';
import { adapterFiles, fullModelFiles, type ResultFiles } from './result-files.ts';

export interface TrainOptions extends PageOptions {
  /** The files that the config's `data` names. */
  files: PageTexts;
  /** The files of the adapter that training continues. Its name is the config's `adapter`. */
  adapter?: ReadonlyMap<string, PageFile>;
  onEvent?: (event: TrainEvent) => void;
  /**
   * Called after each step, before an evaluation. Its answer may end the run, evaluate, or change the learning rate.
   */
  onStepEnd?: OnStepEnd;
  /** Aborting finishes the current step and ends the run with the reason "stopped", without an adapter. */
  signal?: AbortSignal;
  /**
   * Called with everything needed to resume: after the first step, at regular intervals, and at the end. Each
   * checkpoint replaces the one before. Training waits for the call. The file has the name and the content of a
   * checkpoint in Node, which resumes there from the folder `checkpoints` of a run.
   */
  onCheckpoint?: (checkpoint: File) => void | Promise<void>;
  /** Minimum number of seconds between two checkpoints. Default: 20. */
  checkpointSeconds?: number;
  /**
   * A checkpoint of a run with the same config and files, from a page or from Node. Training resumes there, and ends with
   * the same adapter.
   */
  checkpoint?: PageFile;
}

/** How a run ended, and its results. */
export interface TrainResult extends FinishEvent {
  /** Class names by id; empty for tasks without classes. */
  labels: readonly string[];
  /** The trained values as one vector. */
  values: Float32Array;
  /** The adapter's files by name, as in Node: for {@link open} and for PEFT. */
  adapter?: ResultFiles;
  /** The files of the model, if the method trains the model itself. */
  model?: ResultFiles;
}

/**
 * Fine-tunes a model in a page according to a config. No data leave the page. It runs in the page's thread and lets the
 * page draw between steps. In a worker, it does not disturb the page at all.
 *
 * @throws UserError for every mistake in config, data or model
 */
export async function train(config: PageConfig, options: TrainOptions): Promise<TrainResult> {
  const { onEvent: emit = () => {}, onStepEnd, signal } = options;
  const startedAt = performance.now();
  const { run, base, digestsOf } = await readPageRun(config, options);
  const { model, engine, digests } = await loadBase(run, base, options, emit);
  try {
    const kept = await keptRun(run, async () => [...(await digestsOf()), ...digests], options);
    const { host, saved, planned } = kept;
    const onText = (share: number) => emit(progress('text', share));
    const opened = setUpRun(run, model, engine, kept.startedAt, everySecond(onText), planned);
    const { loaded, measured } = saved ? { loaded: opened } : await beforeFirstStep(opened, run.config);
    const { method } = loaded.inputs;
    const trainer = new Trainer(loaded.inputs, loaded.settings, {
      emit,
      shouldStop: () => signal?.aborted ?? false,
      // A page cannot read its memory use.
      peakMemoryMb: () => Number.NaN,
      ...(onStepEnd && { onStepEnd: async (state) => checkedControl(await onStepEnd(state)) }),
      ...host,
    });
    if (saved) await restoreTrainer(trainer, saved.state, CHECKPOINT);
    await trainer.prepare();
    emit(startEvent(run, loaded, trainer.step, performance.now() - startedAt));
    if (measured) emit({ type: 'allocation', ...measured.allocation });
    if (!saved) for (const message of startNotices(run, loaded)) emit({ type: 'notice', step: 0, message });
    const finish = await judgeRun(run, loaded, trainer, await trainer.run());
    const { values } = trainer;
    const result: TrainResult = { ...finish, labels: run.labels, values };
    if (finish.reason !== 'stopped') {
      const results = runResults(run, method, values, finish, digests);
      result.adapter = adapterFiles(results, model, run.maxLength);
      const trained = { model, layout: method.tuner.layout, values };
      const { task, model_config } = run.config;
      const trainedFor = { task, model_config, labels: run.labels };
      if (!result.adapter) result.model = await fullModelFiles(base, trained, trainedFor, results);
    }
    for (const message of unscoredNotices(run, loaded, trainer, finish))
      emit({ type: 'notice', step: finish.step, message });
    emit(finish);
    return result;
  } finally {
    model.close();
  }
}

/**
 * Reads the adapter to continue, the data and its classes, and all of the model except its weights. `digestsOf` returns
 * the digests of these files, in Node's order.
 */
async function readPageRun(
  pageConfig: PageConfig,
  options: TrainOptions,
): Promise<{ run: RunBeginning; base: DescribedModel; digestsOf: () => Promise<string[]> }> {
  if (options.model !== undefined && pageConfig.model === undefined) {
    throw new UserError({
      where: 'config: model',
      fault: 'is missing: the adapter records the name of the base model',
    });
  }
  const { config: named, functions } = namedFunctions(pageConfig);
  const name = pageConfig.adapter ?? 'adapter';
  const { config, start } = await readStart(
    parsePageConfig(options.adapter ? { ...named, adapter: name } : named),
    options,
  );
  const { data } = config;
  const train = await Promise.all(
    trainingFiles(data).map(async (name) => ({
      name,
      files: [await pageTextFile(options.files, name, 'data.train')],
    })),
  );
  const validation = await Promise.all(
    validationFiles(data.validation).map(async ({ name, path }) => ({
      name,
      files: [await pageTextFile(options.files, path, 'data.validation')],
    })),
  );
  const base = await readModel(modelFiles(config.model, options), config.model_config);
  const { generationFiles } = base;
  const family = shortenedFamily(base.family, config);
  const { requested, key } = maxLengthOf(config.task, data, family.config);
  const text = base.text(family.config, requested, key);
  const ownScores = ownScoresOf(pageConfig.metrics);
  const run = beginRun({
    config,
    start,
    family,
    text,
    generationFiles,
    train,
    validation,
    ownScores,
    functions,
  });
  const { adapter = new Map() } = options;
  const digestsOf = async () => [
    ...(await Promise.all(
      [...train, ...validation].flatMap(({ files }) => files.map((file) => file.digest())),
    )),
    ...(await digestsIn(filesFrom(adapter, name), filesOfAdapter([...adapter.keys()]) ?? [])),
    ...(await digestsIn(base.files, DESCRIBING_FILES)),
  ];
  return { run, base, digestsOf };
}

async function readStart(config: PageRunConfig, { adapter }: TrainOptions) {
  if (config.adapter === undefined) return { config, start: undefined };
  const files = filesFrom(adapter ?? new Map(), config.adapter);
  const stored = await readAdapterSet(files);
  if (stored) return startFrom(config, stored, await readNotesIn(files));
  throw new UserError({
    where: 'adapter',
    fault: `needs the files of ${config.adapter}, got ${adapter ? [...adapter.keys()].join(', ') || 'none' : 'nothing'}`,
    hint: 'Give them as the option adapter.',
  });
}

function loadBase(
  { config, build }: RunBeginning,
  { family, files }: DescribedModel,
  options: TrainOptions,
  emit: (event: TrainEvent) => void,
) {
  const described = build(family.definition, family.config);
  const device = runsOn((config as PageRunConfig).device, options);
  if (config.model_init === 'random') return newWeights(described, device);
  const onRead = (share: number) => emit(progress('download', share));
  return loadWeights(described, files, device, everySecond(onRead), true);
}

function progress(what: ProgressEvent['what'], share: number): ProgressEvent {
  return { type: 'progress', step: 0, what, share };
}
