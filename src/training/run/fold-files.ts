import { encodeSafetensors } from '../../input/formats/encode-safetensors.ts';
import type { FolderFiles } from '../../input/formats/files.ts';
import { safetensorsFile } from '../../input/formats/safetensors.ts';
import type { StoredTensor } from '../../input/formats/tensor-data.ts';
import type { Communicator } from '../../program/parallel/communicator.ts';
import { fromFirst } from '../../program/parallel/from-first.ts';
import { UserError } from '../../support/user-error.ts';
import type { CheckpointOrigin, TrainerState } from './checkpoint.ts';
import { readLastCheckpoint, writeCheckpoint } from './checkpoint-files.ts';

const FILE = 'folds.safetensors';
const FEATURES = 'features';
const OUTPUTS = /^fold-(\d+)-(\d+)$/;

/**
 * Opens the files of a cross-validation in a run's folder: the features of the frozen model, the outputs of the folds
 * that are finished, and the checkpoints of the one that is not. They belong to a run by its fingerprint. All processes
 * read what the first one finds, and only the first one writes.
 *
 * @param limit number of checkpoints to keep
 */
export async function openFolds(
  folder: FolderFiles,
  origin: CheckpointOrigin,
  limit: number,
  communicator: Communicator,
) {
  const { fingerprint } = origin;
  const isFirst = communicator.rank === 0;
  const tensors = isFirst ? storedFolds(folder, fingerprint) : new Map<string, StoredTensor>();
  const add = (name: string, data: Float32Array) =>
    tensors.set(name, { dtype: 'F32', shape: [data.length], data });
  const write = () => folder.write(FILE, encodeSafetensors(tensors, { fingerprint }));
  const found = await fromFirst(communicator, () => ({
    /** The features of all rows, one after the other. */
    features: tensors.get(FEATURES)?.data as Float32Array | undefined,
    finished: finishedFolds(tensors),
  }));
  return {
    ...found,
    keepFeatures(features: Float32Array): void {
      if (!isFirst) return;
      add(FEATURES, features);
      write();
    },
    keep(finished: readonly (readonly Float32Array[])[]): void {
      if (!isFirst) return;
      finished.forEach((versions, fold) => {
        versions.forEach((outputs, version) => void add(`fold-${fold}-${version}`, outputs));
      });
      write();
      folder.remove(`fold-${finished.length}`);
    },
    /** The last checkpoint of a fold's training, and where it saves. */
    async training(fold: number) {
      const own = folder.within(`fold-${fold + 1}`);
      const saved = await fromFirst(communicator, () => {
        const last = readLastCheckpoint(own);
        return last?.fingerprint === fingerprint ? last.state : undefined;
      });
      const save = (state: TrainerState) => writeCheckpoint(own, state, origin, limit);
      return { saved, save: isFirst ? save : undefined };
    },
  };
}

/** For each finished fold, the outputs of each version of its model. */
function finishedFolds(tensors: ReadonlyMap<string, StoredTensor>): Float32Array[][] {
  const folds: Float32Array[][] = [];
  for (const [name, { data }] of [...tensors].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const [, fold, version] = OUTPUTS.exec(name)?.map(Number) ?? [];
    if (fold === undefined || version === undefined) continue;
    const versions = folds[fold] ?? [];
    versions[version] = data as Float32Array;
    folds[fold] = versions;
  }
  return folds;
}

/** Files of another run, or damaged ones, are ignored: everything in them can be computed again. */
function storedFolds(folder: FolderFiles, fingerprint: string): Map<string, StoredTensor> {
  if (!folder.has(FILE)) return new Map();
  try {
    const file = safetensorsFile(folder.openNow(FILE, 'a safetensors file'));
    try {
      return file.header.metadata.fingerprint === fingerprint ? file.all() : new Map();
    } finally {
      file.close();
    }
  } catch (error) {
    if (error instanceof UserError) return new Map();
    throw error;
  }
}
