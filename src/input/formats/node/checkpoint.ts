import { existsSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../../../support/user-error.ts';
import {
  type Checkpoint,
  convertHint,
  MAX_INDEX_BYTES,
  SAFETENSORS,
  TORCH,
  type WeightFormat,
  Weights,
} from '../checkpoint.ts';
import { TorchFile } from '../pickle/torch-file.ts';
import type { TensorFile } from '../safetensors.ts';
import { FileSource, missingFile } from './file-source.ts';
import { readBytes } from './read-text.ts';
import { openSafetensors } from './safetensors-file.ts';

interface Format extends WeightFormat {
  open: (path: string) => TensorFile;
}

/** Weight formats, in transformers' order of preference. */
const FORMATS: readonly Format[] = [
  { ...SAFETENSORS, open: openSafetensors },
  { ...TORCH, open: openTorchFile },
];
/** Weight files of other frameworks. */
const OTHER_WEIGHTS = ['tf_model.h5', 'flax_model.msgpack'];

/**
 * Opens the weights of a model folder: `model.safetensors`, `pytorch_model.bin`, or the shards that their
 * index lists. Headers are read and checked at once, tensors on request. Pickles are parsed, never executed.
 *
 * @throws UserError if there are no weights, if index and shards disagree, or if a file is damaged; all files are closed
 * then
 */
export function openCheckpoint(folder: string): Checkpoint {
  if (!existsSync(folder)) throw missingFile(folder, 'a model folder');
  const { weights, open } = findWeights(folder);
  try {
    for (const name of weights.names) weights.add(name, open(realPath(weights, folder, name)));
    return weights.checkpoint();
  } catch (error) {
    weights.close();
    throw error;
  }
}

/**
 * The weight files of a model folder, with the index if it exists. Throws a UserError like {@link
 * openCheckpoint}.
 */
export function weightFiles(folder: string): string[] {
  const { weights, index } = findWeights(folder);
  if (index === undefined) return weights.names.map((name) => join(folder, name));
  return [index, ...weights.names.map((name) => realPath(weights, folder, name))];
}

function findWeights(
  folder: string,
): Pick<Format, 'open'> & { weights: Weights<TensorFile>; index?: string } {
  for (const format of FORMATS) {
    const { open } = format;
    if (existsSync(join(folder, format.single))) return { open, weights: new Weights(folder, format) };
    const index = join(folder, format.index);
    if (!existsSync(index)) continue;
    const bytes = readBytes(index, 'an index of shards', MAX_INDEX_BYTES);
    return { open, index, weights: new Weights(folder, format, { bytes, where: index }) };
  }
  throw noWeights(folder);
}

function realPath(weights: Weights<TensorFile>, folder: string, name: string): string {
  const path = join(folder, name);
  if (existsSync(path)) return realpathSync(path);
  throw weights.missing(name);
}

function noWeights(folder: string): UserError {
  const other = OTHER_WEIGHTS.find((name) => existsSync(join(folder, name)));
  return new UserError({
    where: folder,
    fault: `has no weights (${FORMATS.flatMap(({ single, index }) => [single, index]).join(', ')})${other ? `, only ${other}` : ''}`,
    hint: other && convertHint(folder),
    code: 'not_found',
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
