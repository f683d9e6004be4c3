import { type Files, filesFrom, type PageFile, readFile } from '../../input/formats/files.ts';
import { SafetensorsFile } from '../../input/formats/safetensors.ts';
import { joinedBytes } from '../../support/arrays.ts';
import { Sha256 } from '../../support/sha256.ts';
import { UserError } from '../../support/user-error.ts';
import {
  type CheckpointOrigin,
  checkpointName,
  encodeCheckpoint,
  restoreCheckpoint,
} from '../../training/run/checkpoint.ts';
import {
  encodeRowVectors,
  FOLDS_FILE,
  foldRecord,
  foldTensors,
  preparedFile,
  readRowVectors,
} from '../../training/run/fold-files.ts';
import { SHARED_FILES } from '../../use/trained/full-model.ts';
import type { ReadRun } from './begin-run.ts';
import type { FoldStore, RowStore, RunResult, RunStore } from './run.ts';
import { trainedFiles } from './trained-files.ts';

/** Files by name; text files as strings. */
export type ResultFiles = Map<string, Uint8Array | string>;

/** Callbacks that receive the files of a run without a folder. */
export interface MemoryStoreOptions {
  /**
   * Called with everything needed to resume: after the first step, at regular intervals, and at the end. Each
   * checkpoint replaces the one before. Training waits for the call. The file has the name and the content of a
   * checkpoint in Node, which resumes there from the folder `checkpoints` of a run.
   */
  onCheckpoint?: ((checkpoint: File) => void | Promise<void>) | undefined;
  /**
   * Called like `onCheckpoint` while the accuracy of few rows is estimated by cross-validation, and with what the task
   * computes before the first step. A file replaces the one with its name. Pass all of them as `folds` to resume there.
   */
  onFolds?: ((file: File) => void | Promise<void>) | undefined;
  /** Minimum number of seconds between two checkpoints. Default: 20. */
  checkpointSeconds?: number | undefined;
  /**
   * Called before the first step with a linear probe of the model: the files of an adapter without effect and a linear
   * layer. They open like a trained adapter, so that texts can be predicted while the model is trained. Only for labeled
   * texts.
   */
  onProbe?: ((adapter: ResultFiles) => void | Promise<void>) | undefined;
}

/** The files of a result: those of an adapter, or those of a model. */
export interface MadeFiles {
  /** The adapter's files by name, as in Node: for `open` and for PEFT. Missing after a stop. */
  adapter?: ResultFiles;
  /** The files of the model, if the method trains the model itself. */
  model?: ResultFiles;
}

/** The name of a given checkpoint in messages. */
const CHECKPOINT = 'checkpoint';
/** The checkpoint of the fold that is not finished. Its fingerprint has the number of the fold. */
const FOLD_CHECKPOINT = 'fold-checkpoint.safetensors';
/** Maximum size of a checkpoint: the values, both moments and the best values of a large adapter. */
const MAX_CHECKPOINT_BYTES = 2 ** 31;

/**
 * Stores a run without a folder: the calling program receives its files.
 *
 * @param made receives the files of the result
 */
export function memoryStore(
  {
    resume,
    folds = new Map(),
    onCheckpoint,
    onFolds,
    onProbe,
    checkpointSeconds = 20,
  }: MemoryStoreOptions & {
    resume?: PageFile | undefined;
    folds?: ReadonlyMap<string, PageFile> | undefined;
  },
  made: MadeFiles,
): RunStore {
  let savedAt = Number.NEGATIVE_INFINITY;
  const isSaveDue = () => performance.now() - savedAt >= 1000 * checkpointSeconds;
  const send = async (name: string, content: Uint8Array[]) => {
    await onFolds?.(makeFile(name, content));
    if (name === FOLD_CHECKPOINT) savedAt = performance.now();
  };
  return {
    hasCheckpoints: onCheckpoint !== undefined || onFolds !== undefined || resume !== undefined,
    /** @throws UserError for a damaged checkpoint */
    async saved() {
      if (resume === undefined) return undefined;
      const file = (await read(new Map([['', resume]]), ''))!;
      const restored = restoreCheckpoint(file, new Sha256());
      return { path: CHECKPOINT, ...restored };
    },
    otherRun: () =>
      new UserError({
        where: CHECKPOINT,
        fault: 'belongs to a run with another config, other files or another model',
      }),
    ...(onFolds && {
      rows: ({ origin }) => rowsInMemory(origin, (name) => read(folds, name), send),
      folds: ({ origin }) => foldsInMemory(origin, (name) => read(folds, name), isSaveDue, send),
    }),
    ...(onCheckpoint && {
      isSaveDue,
      async save({ origin }, state) {
        const name = checkpointName(state.step);
        await onCheckpoint(makeFile(name, encodeCheckpoint(state, origin, new Sha256())));
        savedAt = performance.now();
        return name;
      },
    }),
    ...(onProbe && {
      async probed({ files }, result) {
        const before = { step: 0, metrics: {}, ranks: result.method.ranks() };
        const { adapter } = await madeFiles(files, result, before);
        if (adapter) await onProbe(adapter);
      },
    }),
    async keep({ files }, finish, result) {
      Object.assign(made, await madeFiles(files, result, finish));
    },
  };
}

/** Keeps vectors of rows in files of the page's program. */
function rowsInMemory(
  { fingerprint }: CheckpointOrigin,
  read: (name: string) => Promise<SafetensorsFile | undefined>,
  send: (name: string, content: Uint8Array[]) => Promise<void>,
): RowStore {
  return {
    async read(name) {
      const file = await read(preparedFile(name)).catch(ifDamaged);
      return file && readRowVectors(foldTensors(fingerprint, () => file));
    },
    write: (name, vectors) => send(preparedFile(name), encodeRowVectors(fingerprint, vectors)),
  };
}

/**
 * Keeps the folds of a cross-validation in files of the page's program.
 *
 * @param send passes a file on
 */
async function foldsInMemory(
  origin: CheckpointOrigin,
  read: (name: string) => Promise<SafetensorsFile | undefined>,
  isSaveDue: () => boolean,
  send: (name: string, content: Uint8Array[]) => Promise<void>,
): Promise<FoldStore> {
  const { fingerprint } = origin;
  const stored = await read(FOLDS_FILE).catch(ifDamaged);
  const record = foldRecord(fingerprint, {
    tensors: stored ? foldTensors(fingerprint, () => stored) : new Map(),
    write: (content) => send(FOLDS_FILE, content),
  });
  return {
    ...record,
    async training(fold) {
      const file = await read(FOLD_CHECKPOINT).catch(ifDamaged);
      const last = file && restoreCheckpoint(file, new Sha256());
      // The checkpoint of the fold before, or of another run, is computed again.
      const own = { ...origin, fingerprint: `${fingerprint}-${fold}` };
      return {
        saved: last?.fingerprint === own.fingerprint ? last.state : undefined,
        isSaveDue,
        async save(state) {
          await send(FOLD_CHECKPOINT, encodeCheckpoint(state, own, new Sha256()));
          return FOLD_CHECKPOINT;
        },
      };
    },
  };
}

function makeFile(name: string, content: Uint8Array[]): File {
  return new File(content as BlobPart[], name);
}

/** Damaged files of folds are computed again. */
function ifDamaged(error: unknown): undefined {
  if (!(error instanceof UserError)) throw error;
}

async function read(
  files: ReadonlyMap<string, PageFile>,
  name: string,
): Promise<SafetensorsFile | undefined> {
  const bytes = await readFile(filesFrom(files, CHECKPOINT), name, MAX_CHECKPOINT_BYTES);
  return bytes && SafetensorsFile.of(bytes, CHECKPOINT);
}

/** The files of a trained adapter as in a run's folder, or of a model with the small files of its base. */
async function madeFiles(
  run: ReadRun,
  result: RunResult,
  finish: Parameters<typeof trainedFiles>[2],
): Promise<MadeFiles> {
  const { trained, files, card } = await trainedFiles(run, result, finish);
  const content: ResultFiles = new Map(trained === 'model' ? await sharedFiles(run.base.files) : []);
  for (const [name, parts] of files)
    content.set(name, typeof parts === 'string' ? parts : joinedBytes([...parts]));
  content.set('README.md', card);
  return { [trained]: content };
}

/** Maximum size of a file. The file of a large vocabulary has tens of megabytes. */
const MAX_SHARED_BYTES = 2 ** 27;

/** The small files that a whole model has from its base. */
async function sharedFiles(base: Files): Promise<[string, Uint8Array][]> {
  const read = SHARED_FILES.map(
    async (name) => [name, await readFile(base, name, MAX_SHARED_BYTES)] as const,
  );
  return (await Promise.all(read)).flatMap(([name, bytes]): [string, Uint8Array][] =>
    bytes ? [[name, bytes]] : [],
  );
}
