import { adapterFileNames, readStoredAdapter } from '../../input/formats/adapters/read-stored-adapter.ts';
import { textDigest } from '../../input/formats/byte-source.ts';
import {
  asFiles,
  digestsIn,
  type Files,
  type Folder,
  type PageFile,
  readFile,
} from '../../input/formats/files.ts';
import type { OwnFunctions } from '../../methods/tuners/own-function.ts';
import { withDigests } from '../../program/modalities/pictures.ts';
import { readOwnScores } from '../../program/own-scores.ts';
import { ALONE_PROCESSES } from '../../program/parallel/communicator.ts';
import { answerOwn } from '../../studies/jobs/answer-own.ts';
import { COMMON_TRAIN_OPTIONS, type CommonTrainOptions } from '../../studies/jobs/common-train-options.ts';
import type { RunResult } from '../../studies/jobs/contenders/conclude.ts';
import { everySecond } from '../../studies/jobs/every-second.ts';
import { type ReadRun, readMaterial } from '../../studies/jobs/read-material.ts';
import { namedRows } from '../../studies/jobs/rows-in-memory.ts';
import { RunCallbacks } from '../../studies/jobs/run-callbacks.ts';
import { type RunResults, runResults } from '../../studies/jobs/run-results.ts';
import { describeProgress, type Platform, trainRun } from '../../studies/jobs/train-run.ts';
import { joinedBytes } from '../../support/arrays.ts';
import {
  ANYTHING,
  assertOptions,
  FUNCTION,
  NUMBER,
  OBJECT,
  type OptionTypes,
} from '../../support/options.ts';
import { UserError } from '../../support/user-error.ts';
import { readMethod } from '../../training/run/config/read-method.ts';
import type { RunConfigInput } from '../../training/run/config/run-config.ts';
import type { FinishEvent, TrainEvent } from '../../training/run/events.ts';
import { DESCRIBING_FILES, SHARED_FILES } from '../../use/trained/full-model.ts';
import { describeModel, readModel } from '../../use/trained/read-model.ts';
import { type CheckpointOptions, checkpointStore } from './checkpoint-store.ts';
import { decodePicture } from './decode-picture.ts';
import { loadWeights, newWeights, type PageModel } from './load-weights.ts';
import { type PageConfig, parsePageConfig } from './page-config.ts';
import {
  MAX_ADAPTER_BYTES,
  modelFiles,
  PAGE_OPTIONS,
  type PageOptions,
  type RunsOn,
  runsOn,
} from './page-options.ts';
import { type PageTexts, pageTextFile } from './page-text-file.ts';

/** Files by name; text files as strings. */
export type ResultFiles = Map<string, Uint8Array | string>;

/** Options of {@link train}: those of Node, and the files of the page. */
export interface TrainOptions extends PageOptions, CheckpointOptions, CommonTrainOptions<PageFile> {
  /** The files of the base model, or the URL of their folder: on the Hub `…/OWNER/NAME/resolve/main/`. */
  model?: Folder | undefined;
  /** The files that the config's `data` names. */
  files?: PageTexts | undefined;
  /** The files of the adapter that training continues, or their URL. Its name is the config's `adapter`. */
  adapter?: Folder | undefined;
  /**
   * Called before the first step with a linear probe of the model: the files of an adapter without effect and a linear
   * layer. {@link open} reads them, so that texts can be predicted while the model is trained. Only for labeled texts.
   */
  onProbe?: ((adapter: ResultFiles) => void | Promise<void>) | undefined;
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
  const made: Pick<TrainResult, 'adapter' | 'model'> = {};
  const platform = pagePlatform(config, options, callbacks, () => isStopped, made);
  try {
    const { run, finish, values } = await trainRun(platform);
    return { ...finish, labels: run.labels, values: values!, ...made };
  } finally {
    await callbacks.settle();
  }
}

/** The run of a page: with `digestsOf`, the digests of its files except the weights, in Node's order. */
interface PageRun extends ReadRun {
  digestsOf(): Promise<string[]>;
}

/** @param made receives the files of the result */
function pagePlatform(
  config: PageConfig,
  options: TrainOptions,
  callbacks: RunCallbacks,
  shouldStop: () => boolean,
  made: Pick<TrainResult, 'adapter' | 'model'>,
): Platform<PageRun> {
  const startedAt = performance.now();
  const emit = (event: TrainEvent) => callbacks.tell(event);
  const isKept = options.onCheckpoint !== undefined || options.resume !== undefined;
  let loading: Promise<PageModel> | undefined;
  const load = (run: PageRun) => {
    loading ??= loadBase(run, options, isKept, emit);
    return loading;
  };
  const filesOf = async (run: PageRun, finish: Parameters<typeof runResults>[2], result: RunResult) => {
    const { digests } = await load(run);
    const results = runResults(run, result, finish, digests);
    return { [results.trained]: await resultFiles(results, run.base.files) };
  };
  return {
    processes: ALONE_PROCESSES,
    read: () => readPageRun(config, options, callbacks),
    // The weights are hashed while they are loaded.
    digests: async (run) => (isKept ? [...(await run.digestsOf()), ...(await load(run)).digests] : []),
    open: load,
    store: {
      ...checkpointStore(options),
      async probed(run, result) {
        if (!options.onProbe) return;
        const before = { step: 0, metrics: {}, ranks: result.method.ranks() };
        const { adapter } = await filesOf(run, before, result);
        if (adapter) await options.onProbe(adapter);
      },
      async keep(run, _, finish, result) {
        Object.assign(made, await filesOf(run, finish, result));
      },
    },
    host: {
      emit,
      shouldStop,
      // A page cannot read its memory use.
      peakMemoryMb: () => Number.NaN,
      ...(options.onStepEnd && { onStepEnd: async (state) => (await callbacks.control(state)) ?? {} }),
    },
    startupMs: () => performance.now() - startedAt,
  };
}

/** Reads the adapter to continue, the data and its classes, and all of the model except its weights. */
async function readPageRun(
  pageConfig: PageConfig,
  options: TrainOptions,
  callbacks: RunCallbacks,
): Promise<PageRun> {
  if (options.model !== undefined && pageConfig.model === undefined) {
    throw new UserError({
      where: 'config: model',
      fault: 'is missing: the adapter records the name of the base model',
    });
  }
  const { config: named, texts, functions, metrics } = await namedRows(pageConfig as RunConfigInput);
  const name = pageConfig.adapter ?? 'adapter';
  const given = options.adapter ? { ...named, adapter: name } : named;
  const adapter = asFiles(options.adapter ?? new Map(), name);
  const own = {
    names: [...functions.keys()],
    call: (call) => answerOwn({ functions, metrics, callbacks }, call),
  } satisfies OwnFunctions;
  const run = await readMaterial(
    parsePageConfig(given, Object.keys(metrics)),
    { functions: own, ownScores: readOwnScores(metrics) },
    {
      async adapter() {
        const stored = await readStoredAdapter(adapter, MAX_ADAPTER_BYTES);
        if (stored) return { stored, files: adapter };
        throw new UserError({
          where: 'adapter',
          fault: `needs the files of ${name}, got ${adapter.list().join(', ') || 'none'}`,
          hint: 'Give them as the option adapter.',
        });
      },
      base: async ({ model, model_config }) =>
        readModel(await describeModel(modelFiles(model, options), model_config), decodePicture),
      data: async (_, file, key) => [await pageTextFile({ ...options.files, ...texts }, file, key)],
    },
  );
  const digestsOf = async () => [
    ...(await Promise.all(
      run.dataFiles.map((file) => {
        if (file.pictures) return textDigest(withDigests(file));
        return Object.hasOwn(texts, file.name) ? textDigest(file) : file.digest();
      }),
    )),
    ...(run.start ? await digestsIn(adapter, await adapterFileNames(adapter, run.start.stored)) : []),
    ...(await digestsIn(run.base.files, DESCRIBING_FILES)),
  ];
  return { ...run, digestsOf };
}

async function loadBase(
  { config, model: build, base }: ReadRun,
  options: TrainOptions,
  isKept: boolean,
  emit: (event: TrainEvent) => void,
): Promise<PageModel> {
  const device = runsOn(config.device as RunsOn['device'], options);
  if (config.model_init === 'random') return newWeights(build(), device);
  const onRead = everySecond((share) => emit(describeProgress('download', share)));
  // An adapter's notes and checkpoints identify the weights.
  const isAdapter = readMethod(config).definition.trains === 'adapter';
  return loadWeights(build(), base.files, device, (_, share) => onRead(share), isAdapter || isKept);
}

/** Maximum size of a file. The file of a large vocabulary has tens of megabytes. */
const MAX_SHARED_BYTES = 2 ** 27;

/** The files of a trained adapter as in a run's folder in Node, or of a model with the small files of its base. */
async function resultFiles({ trained, files, card }: RunResults, base: Files): Promise<ResultFiles> {
  const shared = await Promise.all(
    (trained === 'model' ? SHARED_FILES : []).map(
      async (name) => [name, await readFile(base, name, MAX_SHARED_BYTES)] as const,
    ),
  );
  return new Map<string, Uint8Array | string>([
    ...shared.flatMap(([name, bytes]): [string, Uint8Array][] => (bytes ? [[name, bytes]] : [])),
    ...files.map(
      ([name, content]) => [name, typeof content === 'string' ? content : joinedBytes([...content])] as const,
    ),
    ['README.md', card],
  ]);
}
