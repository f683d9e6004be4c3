import { encodeSafetensors } from '../../input/formats/encode-safetensors.ts';
import { type FolderFiles, openFile } from '../../input/formats/files.ts';
import { SafetensorsFile } from '../../input/formats/safetensors.ts';
import type { StoredTensor } from '../../input/formats/tensor-data.ts';
import type { Communicator } from '../../program/parallel/communicator.ts';
import { fromFirst } from '../../program/parallel/together.ts';
import { joinedFloats } from '../../support/arrays.ts';
import { UserError } from '../../support/user-error.ts';
import type { CheckpointOrigin, TrainerState } from './checkpoint.ts';
import { readLastCheckpoint, writeCheckpoint } from './checkpoint-files.ts';

/** The file of the folds that are finished. */
export const FOLDS_FILE = 'folds.safetensors';
const FEATURES = 'features';
const OUTPUTS = /^fold-(\d+)-(\d+)$/;

/** The tensors that a run stored, and how to store them. */
interface FoldRecord {
  tensors: Map<string, StoredTensor>;
  write(content: Uint8Array[]): void | Promise<void>;
}

/** Keeps the features of the frozen model and the outputs of finished folds in one safetensors file. */
export function foldRecord(fingerprint: string, { tensors, write }: FoldRecord) {
  const add = (name: string, data: Float32Array) =>
    tensors.set(name, { dtype: 'F32', shape: [data.length], data });
  const writeAll = () => write(encodeSafetensors(tensors, { fingerprint }));
  return {
    /** The features of all rows, one after the other. */
    features: tensors.get(FEATURES)?.data as Float32Array | undefined,
    finished: finishedFolds(tensors),
    keepFeatures(features: Float32Array): void | Promise<void> {
      add(FEATURES, features);
      return writeAll();
    },
    keep(finished: readonly (readonly Float32Array[])[]): void | Promise<void> {
      finished.forEach((versions, fold) => {
        versions.forEach((outputs, version) => void add(`fold-${fold}-${version}`, outputs));
      });
      return writeAll();
    },
  };
}

/** The file of what a task has computed for a set of rows, beside the checkpoints. */
export const preparedFile = (set: string) => `prepared-${set}.safetensors`;

/** Vectors of rows as a safetensors file, which belongs to a run by its fingerprint. */
export function encodeRowVectors(fingerprint: string, vectors: readonly Float32Array[]): Uint8Array[] {
  const lengths = Int32Array.from(vectors, ({ length }) => length);
  const data = joinedFloats(vectors);
  const tensors = new Map<string, StoredTensor>([
    ['lengths', { dtype: 'I32', shape: [lengths.length], data: lengths }],
    ['vectors', { dtype: 'F32', shape: [data.length], data }],
  ]);
  return encodeSafetensors(tensors, { fingerprint });
}

/** Reads the tensors of {@link encodeRowVectors}. Undefined without them. */
export function readRowVectors(tensors: ReadonlyMap<string, StoredTensor>): Float32Array[] | undefined {
  const [lengths, vectors] = ['lengths', 'vectors'].map((name) => tensors.get(name)?.data);
  if (!lengths || !vectors) return undefined;
  let at = 0;
  return Array.from(lengths as Int32Array, (length) => {
    at += length;
    return (vectors as Float32Array).slice(at - length, at);
  });
}

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
  const tensors = isFirst ? keptTensors(folder, FOLDS_FILE, fingerprint) : new Map<string, StoredTensor>();
  const record = foldRecord(fingerprint, {
    tensors,
    write: (content) => void folder.write(FOLDS_FILE, content),
  });
  const found = await fromFirst(communicator, () => ({
    features: record.features,
    finished: record.finished,
  }));
  return {
    ...found,
    keepFeatures(features: Float32Array): void {
      if (isFirst) void record.keepFeatures(features);
    },
    keep(finished: readonly (readonly Float32Array[])[]): void {
      if (!isFirst) return;
      void record.keep(finished);
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

/** The tensors of a file in a run's folder. None if it is missing, damaged, or of another run: it can be computed again. */
export function keptTensors(
  folder: FolderFiles,
  name: string,
  fingerprint: string,
): Map<string, StoredTensor> {
  if (!folder.has(name)) return new Map();
  return foldTensors(fingerprint, () => SafetensorsFile.open(openFile(folder, name, 'a safetensors file')));
}

/** The tensors of a file, unless it is damaged or belongs to another run. */
export function foldTensors(fingerprint: string, open: () => SafetensorsFile): Map<string, StoredTensor> {
  try {
    const file = open();
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
