import { UserError } from '../../support/user-error.ts';
import { excerptName } from './excerpt.ts';
import type { TensorFile, TensorInfo } from './safetensors.ts';
import { unknownTensor } from './unknown-tensor.ts';

/** The tensors of a model, from one or several files. Close it after use. */
export interface Checkpoint {
  names(): string[];
  /**
   * Describes a tensor, for mapping it into memory. `file` is the real path, because a Hugging Face cache
   * consists of symlinks. Throws a UserError for an unknown name, and if the tensor's elements are not
   * contiguous.
   */
  info(name: string): Omit<TensorInfo, 'axes'> & { file: string; axes?: readonly number[] };
  /** Like {@link TensorFile.readFloat32}. Also reads tensors with elements that are not contiguous. */
  readFloat32(name: string, start?: number, end?: number): Float32Array;
  close(): void;
}

/**
 * A checkpoint of open files.
 *
 * @param where its name in messages
 * @param fileOf the file of each tensor
 */
export function checkpointOf(
  where: string,
  fileOf: ReadonlyMap<string, Pick<TensorFile, 'path' | 'info' | 'readFloat32'>>,
): Omit<Checkpoint, 'close'> {
  const find = (name: string) => {
    const file = fileOf.get(name);
    if (file) return file;
    throw unknownTensor(name, [...fileOf.keys()], where);
  };
  return {
    names: () => [...fileOf.keys()],
    info(name) {
      const file = find(name);
      const { axes, ...info } = file.info(name);
      if (axes !== 'scattered') return { ...info, ...(axes && { axes }), file: file.path };
      throw new UserError({
        where: `${file.path}: tensor ${excerptName(name)}`,
        fault: 'is not contiguous, such as a slice',
        hint: convertHint(where),
      });
    },
    readFloat32: (name, start, end) => find(name).readFloat32(name, start, end),
  };
}

/** Describes how to convert a folder's checkpoint to a format that every program reads. */
export function convertHint(folder: string): string {
  const convert = `from transformers import AutoModel; AutoModel.from_pretrained('${folder}').save_pretrained('converted')`;
  return `Convert the checkpoint once: python -c "${convert}"`;
}
