import { encodeSafetensors } from '../../input/formats/encode-safetensors.ts';
import type { FolderFiles } from '../../input/formats/files.ts';
import { safetensorsFile } from '../../input/formats/safetensors.ts';
import type { StoredTensor } from '../../input/formats/tensor-data.ts';
import { UserError } from '../../support/user-error.ts';
import type { CheckpointOrigin, TrainerState } from './checkpoint.ts';
import { readLastCheckpoint, writeCheckpoint } from './checkpoint-files.ts';

const FOLDS = 'folds.safetensors';
const FEATURES = 'features';
const OUTPUTS = /^fold-(\d+)-(\d+)$/;

/**
 * The files of a cross-validation in a run's folder: the features of the frozen model, the outputs of the folds that are
 * finished, and the checkpoints of the one that is not. They belong to a run by its fingerprint.
 */
export class FoldFiles {
  readonly #folder: FolderFiles;
  readonly #origin: CheckpointOrigin;
  readonly #limit: number;
  readonly #tensors: Map<string, StoredTensor>;

  /** @param limit number of checkpoints to keep */
  constructor(folder: FolderFiles, origin: CheckpointOrigin, limit: number) {
    this.#folder = folder;
    this.#origin = origin;
    this.#limit = limit;
    this.#tensors = this.#read();
  }

  /** The features of all rows, one after the other. */
  get features(): Float32Array | undefined {
    return this.#tensors.get(FEATURES)?.data as Float32Array | undefined;
  }

  keepFeatures(features: Float32Array): void {
    this.#tensors.set(FEATURES, stored(features));
    this.#write();
  }

  /** For each finished fold, the outputs of each version of its model. */
  get finished(): Float32Array[][] {
    const folds: Float32Array[][] = [];
    for (const [name, { data }] of [...this.#tensors].sort(([a], [b]) => (a < b ? -1 : 1))) {
      const [, fold, version] = OUTPUTS.exec(name)?.map(Number) ?? [];
      if (fold === undefined || version === undefined) continue;
      const versions = folds[fold] ?? [];
      versions[version] = data as Float32Array;
      folds[fold] = versions;
    }
    return folds;
  }

  keep(finished: readonly (readonly Float32Array[])[]): void {
    finished.forEach((versions, fold) => {
      versions.forEach((outputs, version) => {
        this.#tensors.set(`fold-${fold}-${version}`, stored(outputs));
      });
    });
    this.#write();
    this.#folder.remove(checkpointsOf(finished.length - 1));
  }

  /** The last checkpoint of a fold's training, and where it saves. */
  training(fold: number): { saved?: TrainerState | undefined; save(state: TrainerState): string } {
    const folder = this.#folder.within(checkpointsOf(fold));
    const last = readLastCheckpoint(folder);
    return {
      saved: last?.fingerprint === this.#origin.fingerprint ? last.state : undefined,
      save: (state) => writeCheckpoint(folder, state, this.#origin, this.#limit),
    };
  }

  /** Files of another run, or damaged ones, are ignored: everything in them can be computed again. */
  #read(): Map<string, StoredTensor> {
    if (!this.#folder.has(FOLDS)) return new Map();
    try {
      const file = safetensorsFile(this.#folder.openNow(FOLDS, 'a safetensors file'));
      try {
        return file.header.metadata.fingerprint === this.#origin.fingerprint ? file.all() : new Map();
      } finally {
        file.close();
      }
    } catch (error) {
      if (error instanceof UserError) return new Map();
      throw error;
    }
  }

  #write(): void {
    const { fingerprint } = this.#origin;
    this.#folder.write(FOLDS, encodeSafetensors(this.#tensors, { fingerprint }));
  }
}

/** The name of the folder with the checkpoints of a fold. */
function checkpointsOf(fold: number): string {
  return `fold-${fold + 1}`;
}

function stored(data: Float32Array): StoredTensor {
  return { dtype: 'F32', shape: [data.length], data };
}
