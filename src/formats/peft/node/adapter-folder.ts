import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../../../support/user-error.ts';
import { excerptName } from '../../excerpt.ts';
import { atomicWrite } from '../../node/atomic-write.ts';
import { missingFile } from '../../node/missing-file.ts';
import { SafetensorsFile, writeSafetensors } from '../../node/safetensors-file.ts';
import { openTorchFile } from '../../pickle/node/open-torch-file.ts';
import type { StoredTensor } from '../../tensor-data.ts';
import { formatAdapterConfig, type PeftAdapterConfig, parseAdapterConfig } from '../adapter-config.ts';

export interface AdapterTensor {
  shape: number[];
  data: Float32Array;
}

export interface Adapter {
  config: PeftAdapterConfig;
  /** By the keys of the file, `base_model.model.<module path>.lora_A` and so on (without an adapter name). */
  tensors: Map<string, AdapterTensor>;
}

const CONFIG = 'adapter_config.json';
const TENSORS = 'adapter_model.safetensors';
const PICKLE = 'adapter_model.bin';
const KEY_PREFIX = 'base_model.model.';
/** The largest part is AdaLoRA's rank pattern: some 100 bytes and a flag a row for each of some thousand modules. */
const MAX_CONFIG_BYTES = 16 * 2 ** 20;

/**
 * Reads an adapter that PEFT or this library saved; tensors of any floating type become f32. Of a pickle nothing is
 * executed. Throws a UserError for anything missing, damaged or unsupported.
 */
export function readAdapter(folder: string): Adapter {
  if (!existsSync(folder)) throw missingFile(folder, 'an adapter folder');
  const config = readConfig(join(folder, CONFIG));
  return { config, tensors: readTensors(adapterTensorFile(folder)) };
}

/** The path of an adapter's tensors: like PEFT, safetensors where there is such a file. */
export function adapterTensorFile(folder: string): string {
  const isPickle = !existsSync(join(folder, TENSORS)) && existsSync(join(folder, PICKLE));
  return join(folder, isPickle ? PICKLE : TENSORS);
}

function readTensors(path: string): Adapter['tensors'] {
  const file = path.endsWith(PICKLE) ? openTorchFile(path) : SafetensorsFile.open(path);
  try {
    const tensors = file.names().map((name): [string, AdapterTensor] => {
      if (!name.startsWith(KEY_PREFIX)) {
        throw new UserError({
          where: path,
          expected: `tensor names that start with ${KEY_PREFIX}`,
          got: excerptName(name),
        });
      }
      return [name, { shape: file.info(name).shape, data: file.readFloat32(name) }];
    });
    return new Map(tensors);
  } finally {
    file.close();
  }
}

/**
 * Writes an adapter as PEFT's `save_pretrained` does. Each file is written atomically and the configuration last: where
 * it lies, the tensors are complete.
 */
export function writeAdapter(
  folder: string,
  config: PeftAdapterConfig,
  tensors: ReadonlyMap<string, AdapterTensor>,
): void {
  const stored = [...tensors].map(([name, tensor]): [string, StoredTensor] => [
    name,
    { dtype: 'F32', ...tensor },
  ]);
  writeSafetensors(join(folder, TENSORS), new Map(stored), { format: 'pt' });
  atomicWrite(join(folder, CONFIG), formatAdapterConfig(config));
}

function readConfig(path: string): PeftAdapterConfig {
  if (!existsSync(path)) throw missingFile(path, 'the configuration of a PEFT adapter');
  const { size } = statSync(path);
  if (size > MAX_CONFIG_BYTES) {
    throw new UserError({ where: path, expected: `at most ${MAX_CONFIG_BYTES} bytes`, got: `${size}` });
  }
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new UserError({ where: path, expected: 'JSON', got: (error as Error).message });
  }
  return parseAdapterConfig(value, path);
}
