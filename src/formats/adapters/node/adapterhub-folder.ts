import { join } from 'node:path';
import type { z } from 'zod';
import { UserError } from '../../../support/user-error.ts';
import { atomicWrite } from '../../node/atomic-write.ts';
import { readJson } from '../../node/read-text.ts';
import { SafetensorsFile } from '../../node/safetensors-file.ts';
import { encodeTorchFile } from '../../pickle/encode-torch-file.ts';
import { openTorchFile } from '../../pickle/node/open-torch-file.ts';
import { ADAPTER_CONFIG, ADAPTERHUB_FILES, firstOf } from '../adapter-files.ts';
import { adapterHubHeadSchema, adapterHubSchema, isAdapterHubTensor } from '../adapterhub-config.ts';
import { formatAdapterConfig } from '../format-adapter-config.ts';
import type { AdapterTensor, AdapterTensors, StoredAdapter } from '../stored-adapter.ts';

const { tensors: TENSORS, headConfig: HEAD_CONFIG, headTensors: HEAD_TENSORS } = ADAPTERHUB_FILES;
/** File names that `load_adapter` reads by default, without its option for safetensors. */
const [WRITTEN, WRITTEN_HEAD] = [TENSORS[1], HEAD_TENSORS[1]];
/** Settings that AdapterHub rejects if they are integers. */
const FLOATS = ['dropout', 'reduction_factor', 'scaling', 'stochastic_depth'];

/**
 * Reads an adapter with its head.
 *
 * @param present the files in the folder
 */
export function readAdapterHub(folder: string, present: readonly string[]): StoredAdapter {
  const config = readSettings(
    join(folder, ADAPTER_CONFIG),
    adapterHubSchema,
    "AdapterHub's adapter_config.json",
  );
  const tensors = readAdapterTensors(join(folder, firstOf(TENSORS, present) ?? WRITTEN));
  const headFile = firstOf(HEAD_TENSORS, present);
  const head = present.includes(HEAD_CONFIG)
    ? readSettings(join(folder, HEAD_CONFIG), adapterHubHeadSchema, "AdapterHub's head_config.json")
    : undefined;
  return {
    config,
    tensors:
      headFile === undefined ? tensors : new Map([...tensors, ...readAdapterTensors(join(folder, headFile))]),
    baseModel: config.model_name || null,
    ...(head && { head }),
  };
}

/**
 * Writes an adapter like AdapterHub's `save_adapter`. The settings are written last, so if they exist, the
 * adapter is complete.
 */
export function writeAdapterHub(folder: string, { config, tensors, head }: StoredAdapter): void {
  const [adapterTensors, saved] = [true, false].map((isOwn) =>
    [...tensors].filter(([key]) => isAdapterHubTensor(key) === isOwn),
  );
  if (saved.length > 0) {
    writeTensors(folder, WRITTEN_HEAD, saved);
    if (head) atomicWrite(join(folder, HEAD_CONFIG), formatAdapterConfig(head));
  }
  writeTensors(folder, WRITTEN, adapterTensors);
  atomicWrite(join(folder, ADAPTER_CONFIG), formatAdapterConfig(config, FLOATS));
}

function writeTensors(folder: string, file: string, tensors: [string, AdapterTensor][]): void {
  const entries: AdapterTensors = new Map(tensors);
  atomicWrite(join(folder, file), encodeTorchFile(entries, file.replace(/\.bin$/, '')));
}

/**
 * Reads a file of tensors, which is a safetensors file or a pickle. Pickles are parsed, never executed.
 * Throws a UserError.
 */
function readAdapterTensors(path: string): AdapterTensors {
  const file = path.endsWith('.bin') ? openTorchFile(path) : SafetensorsFile.open(path);
  try {
    return new Map(
      file.names().map((name) => [name, { shape: file.info(name).shape, data: file.readFloat32(name) }]),
    );
  } finally {
    file.close();
  }
}

/**
 * Reads a settings file of an adapter.
 *
 * @param what a noun for messages, such as "the configuration of ..."
 * @throws UserError
 */
function readSettings<Settings>(path: string, schema: z.ZodType<Settings>, what: string): Settings {
  const settings = schema.safeParse(readJson(path, what));
  if (settings.success) return settings.data;
  const [{ path: key, message }] = settings.error.issues;
  throw new UserError(`${path}: ${key.length > 0 ? `${key.join('.')}: ` : ''}${message}`);
}
