import { UserError } from '../../support/user-error.ts';
import { type LocalSource, wholeFile } from './byte-source.ts';
import {
  type Checkpoint,
  convertHint,
  MAX_INDEX_BYTES,
  SAFETENSORS,
  TORCH,
  type WeightFormat,
  Weights,
} from './checkpoint.ts';
import { type FolderFiles, openFile } from './files.ts';
import { TorchFile } from './pickle/torch-file.ts';
import { SafetensorsFile, type TensorFile } from './safetensors.ts';

interface Format extends WeightFormat {
  expected: string;
  open(file: LocalSource): TensorFile;
}

/** Weight formats, in transformers' order of preference. */
const FORMATS: readonly Format[] = [
  { ...SAFETENSORS, expected: 'a safetensors file', open: SafetensorsFile.open },
  { ...TORCH, expected: 'a file of torch.save', open: TorchFile.open },
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
export function openCheckpoint(disk: FolderFiles, folder: string): Checkpoint {
  if (!disk.has(folder)) throw disk.missing(folder, 'a model folder');
  const { weights, format } = findWeights(disk, folder);
  try {
    for (const name of weights.names) {
      const path = realPath(weights, disk.within(folder), name);
      weights.add(name, format.open(openFile(disk, path, format.expected)));
    }
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
export function weightFiles(disk: FolderFiles, folder: string): string[] {
  const { weights, index } = findWeights(disk, folder);
  const files = disk.within(folder);
  if (index === undefined) return weights.names.map(files.path);
  return [index, ...weights.names.map((name) => realPath(weights, files, name))];
}

function findWeights(
  disk: FolderFiles,
  folder: string,
): { format: Format; weights: Weights<TensorFile>; index?: string } {
  const files = disk.within(folder);
  for (const format of FORMATS) {
    if (files.has(format.single)) return { format, weights: new Weights(folder, format) };
    if (!files.has(format.index)) continue;
    const index = files.path(format.index);
    const bytes = wholeFile(openFile(files, format.index, 'an index of shards'), MAX_INDEX_BYTES);
    return { format, index, weights: new Weights(folder, format, { bytes, where: index }) };
  }
  const other = OTHER_WEIGHTS.find(files.has);
  throw new UserError({
    where: folder,
    fault: `has no weights (${FORMATS.flatMap(({ single, index }) => [single, index]).join(', ')})${other ? `, only ${other}` : ''}`,
    hint: other && convertHint(folder),
    code: 'not_found',
  });
}

function realPath(weights: Weights<TensorFile>, files: FolderFiles, name: string): string {
  if (files.has(name)) return files.realPath(name);
  throw weights.missing(name);
}
