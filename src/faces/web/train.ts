import { checkTextSize, decodeText } from '../../input/data/detect-format.ts';
import type { TextFile } from '../../input/data/text-file.ts';
import { ADAPTER_CONFIG } from '../../input/formats/adapters/adapter-files.ts';
import { blobSource, sourceDigest } from '../../input/formats/byte-source.ts';
import { asFiles, type Folder, type PageFile } from '../../input/formats/files.ts';
import { MAX_FILE_BYTES } from '../../input/media/medium.ts';
import type { OwnFunctions } from '../../program/objectives/own-function.ts';
import { readOwnScores } from '../../program/own-scores.ts';
import { ALONE_PROCESSES } from '../../program/parallel/communicator.ts';
import type { BaseOfRun, RunMachine } from '../../studies/jobs/machine.ts';
import { type MadeFiles, type MemoryStoreOptions, memoryStore } from '../../studies/jobs/memory-store.ts';
import { answerOwn, askedRun } from '../../studies/jobs/rows-in-memory.ts';
import { everySecond } from '../../studies/jobs/run.ts';
import {
  COMMON_TRAIN_OPTIONS,
  type CommonTrainOptions,
  RunCallbacks,
} from '../../studies/jobs/run-callbacks.ts';
import { trainRun } from '../../studies/jobs/train-run.ts';
import {
  ANYTHING,
  assertOptions,
  FUNCTION,
  NUMBER,
  OBJECT,
  type OptionTypes,
} from '../../support/options.ts';
import { Sha256 } from '../../support/sha256.ts';
import { suggest } from '../../support/text.ts';
import { UserError } from '../../support/user-error.ts';
import { readMethod } from '../../training/run/config/read-method.ts';
import type { FinishEvent, TrainEvent } from '../../training/run/events.ts';
import { describeModel } from '../../use/trained/read-model.ts';
import { DECODERS } from './decoders.ts';
import { loadWeights, newWeights, type PageModel } from './load-weights.ts';
import {
  assertInPage,
  inPage,
  MAX_ADAPTER_BYTES,
  modelFiles,
  PAGE_OPTIONS,
  type PageConfig,
  type PageOptions,
  type RunsOn,
  runsOn,
} from './page-options.ts';

/** Options of {@link train}: those of Node, and the files of the page. */
export interface TrainOptions extends PageOptions, MemoryStoreOptions, CommonTrainOptions<PageFile> {
  /** The files of the base model, or the URL of their folder: on the Hub `…/OWNER/NAME/resolve/main/`. */
  model?: Folder | undefined;
  /** The files that the config's `data` names. */
  files?: PageTexts | undefined;
  /** The files of `onFolds`, by name. */
  folds?: ReadonlyMap<string, PageFile> | undefined;
  /** The files of the adapter that training continues, or their URL. Its name is the config's `adapter`. */
  adapter?: Folder | undefined;
}

const TRAIN_OPTIONS: OptionTypes<TrainOptions> = {
  ...PAGE_OPTIONS,
  ...COMMON_TRAIN_OPTIONS,
  model: ANYTHING,
  files: OBJECT,
  adapter: ANYTHING,
  onCheckpoint: FUNCTION,
  folds: ANYTHING,
  onFolds: FUNCTION,
  onProbe: FUNCTION,
  checkpointSeconds: NUMBER,
};

/** How a run ended, and its results. */
export interface TrainResult extends FinishEvent, MadeFiles {
  /** Class names by id; empty for tasks without classes. */
  labels: readonly string[];
  /** The trained values as one vector. */
  values: Float32Array;
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
  const emit = (event: TrainEvent) => callbacks.tell(event);
  const made: MadeFiles = {};
  const store = memoryStore(options, made);
  const machine = pageMachine(options, store.hasCheckpoints, emit);
  try {
    if (options.model !== undefined && config.model === undefined) {
      throw new UserError({
        where: 'config: model',
        fault: 'is missing: the adapter records the name of the base model',
      });
    }
    const given = options.adapter ? { ...config, adapter: config.adapter ?? 'adapter' } : config;
    const { config: parsed, texts, functions, metrics } = await askedRun(inPage(given), options.signal);
    assertInPage('config', { ...parsed, dataset: parsed.data.dataset });
    const own = {
      names: [...functions.keys()],
      call: (call) => answerOwn({ functions, metrics, callbacks }, call),
    } satisfies OwnFunctions;
    const { files, finish, result, trainer } = await trainRun(machine, parsed, {
      memory: { texts, functions: own, ownScores: readOwnScores(metrics) },
      processes: ALONE_PROCESSES,
      store,
      host: {
        emit,
        shouldStop: () => isStopped,
        ...(options.onStepEnd && { onStepEnd: async (state) => (await callbacks.control(state)) ?? {} }),
      },
    });
    return { ...finish, labels: files.labels, values: result?.values ?? trainer.values, ...made };
  } finally {
    await callbacks.settle();
  }
}

/**
 * The files that a page has, and its engine.
 *
 * @param isKept whether the run has checkpoints, which identify the weights
 */
function pageMachine(options: TrainOptions, isKept: boolean, emit: (event: TrainEvent) => void): RunMachine {
  const startedAt = performance.now();
  const { files = {} } = options;
  let loading: Promise<PageModel> | undefined;
  const load = (run: BaseOfRun) => {
    loading ??= loadBase(run);
    return loading;
  };
  const loadBase = async ({ config, model, base }: BaseOfRun): Promise<PageModel> => {
    const device = runsOn(config.device as RunsOn['device'], options);
    if (config.model_init === 'random') return newWeights(model(), device);
    const onRead = everySecond((share) => emit({ type: 'progress', step: 0, what: 'download', share }));
    // An adapter's notes and checkpoints identify the weights.
    const isHashed = isKept || readMethod(config).definition.trains === 'adapter';
    return loadWeights(model(), base.files, device, (_, share) => onRead(share), isHashed);
  };
  return {
    // Files of a model at an address would have to be fetched.
    has: () => options.model instanceof Map,
    async adapter(name) {
      const adapter = asFiles(options.adapter ?? new Map(), name);
      if (await adapter.open(ADAPTER_CONFIG)) return adapter;
      throw new UserError({
        where: 'adapter',
        fault: `needs the files of ${name}, got ${adapter.list().join(', ') || 'none'}`,
        hint: 'Give them as the option adapter.',
      });
    },
    maxAdapterBytes: MAX_ADAPTER_BYTES,
    model: (name, { changes } = {}) => describeModel(modelFiles(name, options), changes),
    decoders: DECODERS,
    data: async (_, name, { key }) => [await pageTextFile(files, name, key)],
    openContent: (name) => openPageFile(files, name),
    newHash: () => new Sha256(),
    // The weights are hashed while they are loaded.
    weightDigests: async (run) => (await load(run)).digests.map((digest) => ['weights', digest]),
    open: load,
    // A page cannot read its memory use.
    peakMemoryMb: () => Number.NaN,
    startupMs: () => performance.now() - startedAt,
  };
}

/**
 * A page's data files by their names in the config, and the files that their rows name. Each is a user's `File`, or
 * text.
 */
export type PageTexts = Readonly<Record<string, Blob | string>>;

/**
 * Reads a text file.
 *
 * @param key the config's key that names it
 * @throws UserError if the page does not have it, or it is too large or not UTF-8
 */
async function pageTextFile(files: PageTexts, name: string, key: string): Promise<TextFile> {
  if (!Object.hasOwn(files, name)) {
    const names = Object.keys(files);
    const hint = suggest(name, names) || `There are: ${names.join(', ') || 'none'}.`;
    throw new UserError({
      where: key,
      fault: `names ${JSON.stringify(name)}, which is not a file of the page`,
      hint,
    });
  }
  const content = files[name]!;
  const blob = typeof content === 'string' ? new Blob([content]) : content;
  checkTextSize(blob.size, name);
  const source = blobSource(blob, name);
  const text = decodeText(await source.read(0, blob.size), name);
  return {
    name,
    size: blob.size,
    read: () => text,
    digest: () => sourceDigest(source),
    openContent: (file) => openPageFile(files, file),
  };
}

/** Reads a file that a row names. Throws a UserError if the page does not have it, or it is too large. */
async function openPageFile(files: PageTexts, name: string): Promise<Uint8Array> {
  const file = Object.hasOwn(files, name) ? files[name] : undefined;
  if (!(file instanceof Blob)) throw new UserError({ where: name, fault: 'is not a file of the page' });
  if (file.size > MAX_FILE_BYTES)
    throw new UserError({ where: name, fault: `has ${file.size} bytes, more than ${MAX_FILE_BYTES}` });
  return blobSource(file, name).read(0, file.size);
}
