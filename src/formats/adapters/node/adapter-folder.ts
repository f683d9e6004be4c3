import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { UserError } from '../../../support/user-error.ts';
import { excerptName } from '../../excerpt.ts';
import { atomicWrite } from '../../node/atomic-write.ts';
import { missingFile } from '../../node/missing-file.ts';
import { readJson } from '../../node/read-text.ts';
import { SafetensorsFile, writeSafetensors } from '../../node/safetensors-file.ts';
import { openTorchFile } from '../../pickle/node/open-torch-file.ts';
import type { StoredTensor } from '../../tensor-data.ts';
import { ADAPTER_METADATA } from '../adapter-bytes.ts';
import { formatAdapterConfig } from '../format-adapter-config.ts';
import { type AdapterTensors, PEFT_PREFIX, type StoredAdapter } from '../stored-adapter.ts';

const CONFIG = 'adapter_config.json';
const TENSORS = 'adapter_model.safetensors';
const PICKLE = 'adapter_model.bin';

/** What every adapter says of itself. */
const commonKeys = z.looseObject({
  base_model_name_or_path: z.string().nullish(),
  task_type: z.string().nullish(),
});

/** Whether a folder holds an adapter, as PEFT or this library saves it. */
export function holdsAdapter(folder: string): boolean {
  return existsSync(join(folder, CONFIG));
}

/**
 * Reads an adapter that PEFT or this library saved; tensors of any floating type become f32. Of a pickle nothing is
 * executed. Throws a UserError for anything missing or damaged.
 */
export function readAdapter(folder: string): StoredAdapter {
  if (!existsSync(folder)) throw missingFile(folder, 'an adapter folder');
  const path = join(folder, CONFIG);
  const config = commonKeys.safeParse(readJson(path, 'the configuration of a PEFT adapter'));
  if (!config.success) {
    const [{ path: key, message }] = config.error.issues;
    throw new UserError(`${path}: ${key.length > 0 ? `${key.join('.')}: ` : ''}${message}`);
  }
  const { base_model_name_or_path, task_type } = config.data;
  return {
    config: config.data,
    tensors: readTensors(adapterTensorFile(folder)),
    baseModel: base_model_name_or_path ?? null,
    taskType: task_type ?? null,
  };
}

/** The path of an adapter's settings. */
export function adapterConfigFile(folder: string): string {
  return join(folder, CONFIG);
}

/** The path of an adapter's tensors: like PEFT, safetensors where there is such a file. */
export function adapterTensorFile(folder: string): string {
  const isPickle = !existsSync(join(folder, TENSORS)) && existsSync(join(folder, PICKLE));
  return join(folder, isPickle ? PICKLE : TENSORS);
}

/**
 * Writes an adapter as PEFT's `save_pretrained` does. Each file is written atomically and the configuration last: where
 * it lies, the tensors are complete.
 */
export function writeAdapter(folder: string, { config, tensors }: StoredAdapter): void {
  const stored = [...tensors].map(([name, tensor]): [string, StoredTensor] => [
    name,
    { dtype: 'F32', ...tensor },
  ]);
  writeSafetensors(join(folder, TENSORS), new Map(stored), ADAPTER_METADATA);
  atomicWrite(join(folder, CONFIG), formatAdapterConfig(config));
}

function readTensors(path: string): AdapterTensors {
  const file = path.endsWith(PICKLE) ? openTorchFile(path) : SafetensorsFile.open(path);
  try {
    return new Map(
      file.names().map((name) => {
        if (!name.startsWith(PEFT_PREFIX)) {
          throw new UserError({
            where: path,
            expected: `tensor names that start with ${PEFT_PREFIX}`,
            got: excerptName(name),
          });
        }
        return [name, { shape: file.info(name).shape, data: file.readFloat32(name) }];
      }),
    );
  } finally {
    file.close();
  }
}
