import { adapterFileNames, readStoredAdapter } from '../../input/formats/adapters/read-stored-adapter.ts';
import { textDigest } from '../../input/formats/byte-source.ts';
import { digestsIn, type Files, type Folder, filesOf, type PageFile } from '../../input/formats/files.ts';
import type { OwnFunctions } from '../../methods/tuners/own-function.ts';
import { withDigests } from '../../program/modalities/picture-files.ts';
import { ownScoresOf } from '../../program/own-scores.ts';
import { answerOwn } from '../../studies/jobs/answer-own.ts';
import { COMMON_TRAIN_OPTIONS, type CommonTrainOptions } from '../../studies/jobs/common-train-options.ts';
import { driveRun } from '../../studies/jobs/drive-run.ts';
import { everySecond } from '../../studies/jobs/every-second.ts';
import { type ReadRun, readMaterial } from '../../studies/jobs/read-material.ts';
import { type ConfigWithRows, namedRows } from '../../studies/jobs/rows-in-memory.ts';
import { RunCallbacks } from '../../studies/jobs/run-callbacks.ts';
import { runResults } from '../../studies/jobs/run-results.ts';
import { setUpRun } from '../../studies/jobs/set-up-run.ts';
import { startFrom } from '../../studies/jobs/start-from.ts';
import {
  ANYTHING,
  assertOptions,
  FUNCTION,
  NUMBER,
  OBJECT,
  type OptionTypes,
} from '../../support/options.ts';
import { UserError } from '../../support/user-error.ts';
import { methodOf } from '../../training/run/config/method-of.ts';
import type { FinishEvent, ProgressEvent, TrainEvent } from '../../training/run/events.ts';
import type { TrainerHost } from '../../training/train/trainer.ts';
import { DESCRIBING_FILES } from '../../use/trained/full-model.ts';
import { readNotes } from '../../use/trained/notes.ts';
import { describeModel, readModel } from '../../use/trained/read-model.ts';
import { decodePicture } from './decode-picture.ts';
import { CHECKPOINT, keptRun } from './kept-run.ts';
import { loadWeights, newWeights } from './load-weights.ts';
import { type PageConfig, type PageRunConfig, parsePageConfig } from './page-config.ts';
import { MAX_ADAPTER_BYTES, modelFiles, PAGE_OPTIONS, type PageOptions, runsOn } from './page-options.ts';
import { type PageTexts, pageTextFile } from './page-text-file.ts';
import { type ResultFiles, resultFiles } from './result-files.ts';

/** Options of {@link train}: those of Node, and the files of the page. */
export interface TrainOptions extends PageOptions, CommonTrainOptions<PageFile> {
  /** The files of the base model, or the URL of their folder: on the Hub `…/OWNER/NAME/resolve/main/`. */
  model?: Folder | undefined;
  /** The files that the config's `data` names. */
  files?: PageTexts | undefined;
  /** The files of the adapter that training continues, or their URL. Its name is the config's `adapter`. */
  adapter?: Folder | undefined;
  /**
   * Called with everything needed to resume: after the first step, at regular intervals, and at the end. Each
   * checkpoint replaces the one before. Training waits for the call. The file has the name and the content of a
   * checkpoint in Node, which resumes there from the folder `checkpoints` of a run.
   */
  onCheckpoint?: ((checkpoint: File) => void | Promise<void>) | undefined;
  /**
   * Called before the first step with a linear probe of the model: the files of an adapter without effect and a linear
   * layer. {@link open} reads them, so that texts can be predicted while the model is trained. Only for labeled texts.
   */
  onProbe?: ((adapter: ResultFiles) => void | Promise<void>) | undefined;
  /** Minimum number of seconds between two checkpoints. Default: 20. */
  checkpointSeconds?: number | undefined;
}

const TRAIN_OPTIONS: OptionTypes<TrainOptions> = {
  ...PAGE_OPTIONS,
  ...COMMON_TRAIN_OPTIONS,
  model: ANYTHING,
  files: OBJECT,
  adapter: ANYTHING,
  onCheckpoint: FUNCTION,
  onProbe: FUNCTION,
  checkpointSeconds: NUMBER,
};

/** How a run ended, and its results. */
export interface TrainResult extends FinishEvent {
  /** Class names by id; empty for tasks without classes. */
  labels: readonly string[];
  /** The trained values as one vector. */
  values: Float32Array;
  /** The adapter's files by name, as in Node: for {@link open} and for PEFT. Missing after a stop. */
  adapter?: ResultFiles;
  /** The files of the model, if the method trains the model itself. */
  model?: ResultFiles;
}

/**
 * Fine-tunes a model in a page according to a config. No data leave the page. It runs in the page's thread and lets the
 * page draw between steps. In a worker, it does not disturb the page at all.
 *
 * @throws UserError for every error in config, data or model
 * @throws any error of `onEvent` or `onStepEnd`, after a checkpoint
 */
export async function train(config: PageConfig, options: TrainOptions = {}): Promise<TrainResult> {
  assertOptions('train', options, TRAIN_OPTIONS);
  let isStopped = false;
  const callbacks = new RunCallbacks(options, () => {
    isStopped = true;
  });
  const host: TrainerHost = {
    emit: (event) => callbacks.tell(event),
    shouldStop: () => isStopped,
    // A page cannot read its memory use.
    peakMemoryMb: () => Number.NaN,
    ...(options.onStepEnd && { onStepEnd: async (state) => (await callbacks.control(state)) ?? {} }),
  };
  return trainInTurns(config, options, callbacks, host).finally(() => callbacks.settle());
}

async function trainInTurns(
  config: PageConfig,
  options: TrainOptions,
  callbacks: RunCallbacks,
  host: TrainerHost,
): Promise<TrainResult> {
  const { emit } = host;
  const startedAt = performance.now();
  const { run, digestsOf } = await readPageRun(config, options, callbacks);
  const { model, engine, digests } = await loadBase(run, options, emit);
  try {
    const kept = await keptRun(run, async () => [...(await digestsOf()), ...digests], options);
    const { saved, planned } = kept;
    const onText = (share: number) => emit(progress('text', share));
    const opened = setUpRun(run, model, engine, {
      startedAt: kept.startedAt,
      onProgress: everySecond(onText),
      planned,
    });
    const made: Pick<TrainResult, 'adapter' | 'model'> = {};
    const { finish, values } = await driveRun(run, opened, {
      planned,
      ...(saved && { saved: { state: saved.state, path: CHECKPOINT } }),
      host: { ...host, ...kept.host },
      startupMs: () => performance.now() - startedAt,
      begin: (announce) => announce(),
      async probed(result) {
        if (!options.onProbe) return;
        const before = { step: 0, metrics: {}, ranks: result.method.ranks() };
        const results = runResults(run, result, before, digests);
        if (results.trained === 'adapter') await options.onProbe(await resultFiles(results, run.base.files));
      },
      async keep(finish, result) {
        const results = runResults(run, result, finish, digests);
        made[results.trained] = await resultFiles(results, run.base.files);
      },
    });
    return { ...finish, labels: run.labels, values, ...made };
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
  callbacks: RunCallbacks,
): Promise<{ run: ReadRun; digestsOf: () => Promise<string[]> }> {
  if (options.model !== undefined && pageConfig.model === undefined) {
    throw new UserError({
      where: 'config: model',
      fault: 'is missing: the adapter records the name of the base model',
    });
  }
  const { config: named, texts, functions, metrics } = await namedRows(pageConfig as ConfigWithRows);
  const name = pageConfig.adapter ?? 'adapter';
  const given = options.adapter ? { ...named, adapter: name } : named;
  const adapter = filesOf(options.adapter ?? new Map(), name);
  const { config, start } = await readStart(parsePageConfig(given, Object.keys(metrics)), adapter);
  const described = await describeModel(modelFiles(config.model, options), config.model_config);
  const base = await readModel(described, decodePicture);
  const own: OwnFunctions = {
    names: [...functions.keys()],
    call: (call) => answerOwn({ functions, metrics, callbacks }, call),
  };
  const material = { config, start, functions: own, ownScores: ownScoresOf(metrics) };
  const run = await readMaterial(material, base, async (file, key) => [
    await pageTextFile({ ...options.files, ...texts }, file, key),
  ]);
  const digestsOf = async () => [
    ...(await Promise.all(
      run.dataFiles.map((file) => {
        if (file.pictures) return textDigest(withDigests(file));
        return Object.hasOwn(texts, file.name) ? textDigest(file) : file.digest();
      }),
    )),
    ...(start ? await digestsIn(adapter, await adapterFileNames(adapter, start.stored)) : []),
    ...(await digestsIn(base.files, DESCRIBING_FILES)),
  ];
  return { run, digestsOf };
}

async function readStart(config: PageRunConfig, files: Files) {
  if (config.adapter === undefined) return { config, start: undefined };
  const stored = await readStoredAdapter(files, MAX_ADAPTER_BYTES);
  if (stored) return startFrom(config, stored, await readNotes(files));
  throw new UserError({
    where: 'adapter',
    fault: `needs the files of ${config.adapter}, got ${files.list().join(', ') || 'none'}`,
    hint: 'Give them as the option adapter.',
  });
}

function loadBase(
  { config, model: build, base }: ReadRun,
  options: TrainOptions,
  emit: (event: TrainEvent) => void,
) {
  const device = runsOn((config as PageRunConfig).device, options);
  if (config.model_init === 'random') return newWeights(build(), device);
  const onRead = everySecond((share) => emit(progress('download', share)));
  // An adapter's notes and checkpoints identify the weights.
  const isAdapter = methodOf(config).definition.trains === 'adapter';
  const isKept = options.onCheckpoint !== undefined || options.resume !== undefined;
  return loadWeights(build(), base.files, device, (_, share) => onRead(share), isAdapter || isKept);
}

function progress(what: ProgressEvent['what'], share: number): ProgressEvent {
  return { type: 'progress', step: 0, what, share };
}
