import { existsSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../../../support/user-error.ts';
import { type Checkpoint, checkpointOf, convertHint } from '../checkpoint.ts';
import { TorchFile } from '../pickle/torch-file.ts';
import type { TensorFile } from '../safetensors.ts';
import { FileSource } from './file-source.ts';
import { openShards, shardsOf } from './open-shards.ts';
import { missingFile } from './read-text.ts';
import { SafetensorsFile } from './safetensors-file.ts';

interface Format {
  single: string;
  index: string;
  ending: string;
  open: (path: string) => TensorFile;
}

/** Weight formats, in transformers' order of preference. */
const FORMATS: readonly Format[] = [
  {
    single: 'model.safetensors',
    index: 'model.safetensors.index.json',
    ending: '.safetensors',
    open: SafetensorsFile.open,
  },
  {
    single: 'pytorch_model.bin',
    index: 'pytorch_model.bin.index.json',
    ending: '.bin',
    open: openTorchFile,
  },
];
/** Weight files of other frameworks. */
const OTHER_WEIGHTS = ['tf_model.h5', 'flax_model.msgpack'];

/**
 * Opens the weights of a model folder: `model.safetensors`, `pytorch_model.bin`, or the shards that their
 * index lists. Headers are read and checked at once, tensors on request. Pickles are parsed, never executed.
 *
 * @throws UserError if there are no weights, if index and shards disagree, or if a file is damaged
 */
export function openCheckpoint(folder: string): Checkpoint {
  if (!existsSync(folder)) throw missingFile(folder, 'a model folder');
  for (const { single, index, ending, open } of FORMATS) {
    if (existsSync(join(folder, single))) {
      const file = open(realpathSync(join(folder, single)));
      return checkpoint(folder, new Map(file.names().map((name) => [name, file])));
    }
    if (existsSync(join(folder, index)))
      return checkpoint(folder, openShards(join(folder, index), ending, open));
  }
  throw noWeights(folder);
}

/**
 * The weight files of a model folder, with the index if it exists. Throws a UserError like {@link
 * openCheckpoint}.
 */
export function weightFiles(folder: string): string[] {
  for (const { single, index, ending } of FORMATS) {
    if (existsSync(join(folder, single))) return [join(folder, single)];
    if (existsSync(join(folder, index)))
      return [join(folder, index), ...shardsOf(join(folder, index), ending)];
  }
  throw noWeights(folder);
}

function checkpoint(folder: string, fileOf: ReadonlyMap<string, TensorFile>): Checkpoint {
  return {
    ...checkpointOf(folder, fileOf),
    close() {
      for (const file of new Set(fileOf.values())) file.close();
    },
  };
}

function noWeights(folder: string): UserError {
  const other = OTHER_WEIGHTS.find((name) => existsSync(join(folder, name)));
  return new UserError({
    where: folder,
    fault: `has no weights (${FORMATS.flatMap(({ single, index }) => [single, index]).join(', ')})${other ? `, only ${other}` : ''}`,
    hint: other && convertHint(folder),
  });
}

/** A {@link TorchFile} on disk. Close it after use. */
type OpenTorchFile = TorchFile & TensorFile;

/** Opens a file. Throws a UserError like {@link TorchFile}, and for a file that is missing or unreadable. */
export function openTorchFile(path: string): OpenTorchFile {
  const source = FileSource.open(path, 'a file of torch.save');
  try {
    return Object.assign(new TorchFile(source, path), { path, close: () => source.close() });
  } catch (error) {
    source.close();
    throw error;
  }
}
