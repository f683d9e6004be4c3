import { z } from 'zod';
import { UserError } from '../../support/user-error.ts';
import { encodeSafetensors } from '../encode-safetensors.ts';
import type { StoredTensor } from '../tensor-data.ts';
import type { TensorFile } from '../tensor-file.ts';
import { ADAPTER_METADATA } from './adapter-bytes.ts';
import { formatAdapterConfig } from './format-adapter-config.ts';
import type { AdapterTensors, StoredAdapter } from './stored-adapter.ts';

/** File names of an adapter: settings, tensors, and tensors as a pickle (in old adapters). */
export const PEFT_FILES = {
  config: 'adapter_config.json',
  tensors: 'adapter_model.safetensors',
  pickle: 'adapter_model.bin',
} as const;

/** Keys of every adapter's settings. */
const commonKeys = z.looseObject({
  base_model_name_or_path: z.string().nullish(),
  task_type: z.string().nullish(),
});

/**
 * Reads an adapter that PEFT or this library saved. Tensors of any floating-point type are converted to f32.
 *
 * @param config the content of `adapter_config.json`
 * @param where the settings file's name in messages
 * @throws UserError if the files are not a valid adapter
 */
export function peftStored(
  config: unknown,
  where: string,
  tensors: Pick<TensorFile, 'path' | 'names' | 'info' | 'readFloat32'>,
): StoredAdapter {
  const checked = commonKeys.safeParse(config);
  if (!checked.success) {
    const [{ path: key, message }] = checked.error.issues;
    throw new UserError(`${where}: ${key.length > 0 ? `${key.join('.')}: ` : ''}${message}`);
  }
  const { base_model_name_or_path } = checked.data;
  return {
    config: checked.data,
    tensors: adapterTensors(tensors),
    baseModel: base_model_name_or_path ?? null,
  };
}

/**
 * Encodes an adapter's files, by name, as PEFT's `save_pretrained` writes them. The settings come last, so if
 * they exist, the tensors are complete.
 */
export function encodePeft({ config, tensors }: StoredAdapter): [name: string, content: Uint8Array[]][] {
  const stored = [...tensors].map(([name, tensor]): [string, StoredTensor] => [
    name,
    { dtype: 'F32', ...tensor },
  ]);
  return [
    [PEFT_FILES.tensors, encodeSafetensors(new Map(stored), ADAPTER_METADATA)],
    [PEFT_FILES.config, [new TextEncoder().encode(formatAdapterConfig(config))]],
  ];
}

function adapterTensors(file: Pick<TensorFile, 'path' | 'names' | 'info' | 'readFloat32'>): AdapterTensors {
  return new Map(
    file.names().map((name) => [name, { shape: file.info(name).shape, data: file.readFloat32(name) }]),
  );
}
