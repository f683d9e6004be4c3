import { join } from 'node:path';
import { z } from 'zod';
import { UserError } from '../../../support/user-error.ts';
import { excerptName } from '../../excerpt.ts';
import { atomicWrite } from '../../node/atomic-write.ts';
import { writeSafetensors } from '../../node/safetensors-file.ts';
import type { StoredTensor } from '../../tensor-data.ts';
import { ADAPTER_CONFIG, firstOf, PEFT_TENSORS } from '../adapter-files.ts';
import { formatAdapterConfig } from '../format-adapter-config.ts';
import { type AdapterTensors, PEFT_PREFIX, type StoredAdapter } from '../stored-adapter.ts';
import { readAdapterTensors } from './adapter-tensors.ts';
import { readSettings } from './read-settings.ts';

/** What every adapter of PEFT's says of itself. */
const commonKeys = z.looseObject({
  base_model_name_or_path: z.string().nullish(),
  task_type: z.string().nullish(),
});

/** `present`: the files of the folder. */
export function readPeft(folder: string, present: readonly string[]): StoredAdapter {
  const config = readSettings(
    join(folder, ADAPTER_CONFIG),
    commonKeys,
    'the configuration of a PEFT adapter',
  );
  const path = join(folder, firstOf(PEFT_TENSORS, present) ?? PEFT_TENSORS[0]);
  return {
    config,
    tensors: checkedNames(readAdapterTensors(path), path),
    baseModel: config.base_model_name_or_path ?? null,
    taskType: config.task_type ?? null,
  };
}

/** As PEFT's `save_pretrained`: where the settings lie, the tensors are complete. */
export function writePeft(folder: string, { config, tensors }: StoredAdapter): void {
  const stored = [...tensors].map(([name, tensor]): [string, StoredTensor] => [
    name,
    { dtype: 'F32', ...tensor },
  ]);
  writeSafetensors(join(folder, PEFT_TENSORS[0]), new Map(stored), { format: 'pt' });
  atomicWrite(join(folder, ADAPTER_CONFIG), formatAdapterConfig(config));
}

function checkedNames(tensors: AdapterTensors, where: string): AdapterTensors {
  const stray = [...tensors.keys()].find((name) => !name.startsWith(PEFT_PREFIX));
  if (stray === undefined) return tensors;
  const expected = `tensor names that start with ${PEFT_PREFIX}`;
  throw new UserError({ where, expected, got: excerptName(stray) });
}
