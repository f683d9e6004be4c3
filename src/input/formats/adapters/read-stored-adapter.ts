import { z } from 'zod';
import { InvalidFile, type UserError } from '../../../support/user-error.ts';
import { bytesAsSource } from '../byte-source.ts';
import {
  type Files,
  type FolderFiles,
  hasFile,
  missingIn,
  pathIn,
  readFile,
  readJsonFile,
} from '../files.ts';
import { TorchFile } from '../pickle/torch-file.ts';
import { SafetensorsFile } from '../safetensors.ts';
import { ADAPTER_CONFIG, ADAPTERHUB_FILES, PEFT_TENSORS } from './adapter-files.ts';
import type { AdapterTensors, StoredAdapter } from './stored-adapter.ts';

/** AdapterHub's `adapter_config.json`. The method's settings are checked elsewhere. */
const adapterHubSchema = z.looseObject({
  /** The adapter's name, which is part of its tensors' names. */
  name: z.string().min(1),
  /** A class of transformers, or one of AdapterHub's classes with exchangeable heads. */
  model_class: z.string(),
  /** Folder or Hub id of the base model. */
  model_name: z.string().nullish(),
  /** The method's settings. */
  config: z.looseObject({}),
});

/** AdapterHub's `head_config.json`. */
const adapterHubHeadSchema = z.looseObject({
  model_class: z.string(),
  /** Only set for an exchangeable head. */
  config: z.looseObject({ head_type: z.string() }).nullish(),
});

/** Whether an adapter's settings have AdapterHub's format. PEFT's settings have a `peft_type`. */
export function isAdapterHub(config: Readonly<Record<string, unknown>>): boolean {
  return typeof config.model_class === 'string' && config.peft_type === undefined;
}

/** Whether a tensor belongs to the adapter. Other tensors belong to its head. */
export function isAdapterHubTensor(key: string): boolean {
  return key.includes('.adapters.');
}

/**
 * Maximum size of a file of tensors. Most have a few megabytes; with high ranks on a large model, or with its
 * embeddings, a few gigabytes.
 */
const MAX_BYTES = 2 ** 32;
const { tensors: TENSORS, headConfig: HEAD_CONFIG, headTensors: HEAD_TENSORS } = ADAPTERHUB_FILES;

/** Keys of every PEFT adapter's settings. */
const peftSchema = z.looseObject({
  base_model_name_or_path: z.string().nullish(),
  task_type: z.string().nullish(),
});

/** Reads the adapter in a folder like {@link readStoredAdapter}. Throws a UserError if there is none. */
export async function readAdapterIn(
  disk: FolderFiles,
  folder: string,
  maxBytes?: number,
): Promise<StoredAdapter> {
  if (!disk.has(folder)) throw disk.missing(folder, 'an adapter folder');
  const files = disk.within(folder);
  const adapter = await readStoredAdapter(files, maxBytes);
  if (adapter) return adapter;
  throw files.missing(ADAPTER_CONFIG, 'the configuration of an adapter');
}

/**
 * Reads an adapter saved by PEFT, AdapterHub or this library. Tensors of any floating-point type are converted
 * to f32. Pickles are parsed, never executed. Undefined if the files contain no settings of an adapter.
 *
 * @param maxBytes maximum size of a file of tensors
 * @throws UserError for a missing, damaged or too large file
 */
export async function readStoredAdapter(
  files: Files,
  maxBytes = MAX_BYTES,
): Promise<StoredAdapter | undefined> {
  const json = await readJsonFile(files, ADAPTER_CONFIG);
  if (json === undefined) return undefined;
  const where = pathIn(files.name, ADAPTER_CONFIG);
  const tensorsOf = (names: readonly string[]) => readTensors(files, names, maxBytes);
  if (!isAdapterHub(Object(json))) {
    const config = checked(peftSchema, json, where);
    const tensors = await readTensors(files, PEFT_TENSORS, maxBytes, config.peft_type);
    if (!tensors) throw await withoutTensors(files);
    return { config, tensors, baseModel: config.base_model_name_or_path ?? null };
  }
  const config = checked(adapterHubSchema, json, where);
  const tensors = await tensorsOf(TENSORS);
  if (!tensors) throw missingIn(files, TENSORS[0], "the adapter's tensors");
  const ofHead = await readJsonFile(files, HEAD_CONFIG);
  const head =
    ofHead === undefined ? undefined : checked(adapterHubHeadSchema, ofHead, pathIn(files.name, HEAD_CONFIG));
  return {
    config,
    tensors: new Map([...tensors, ...((await tensorsOf(HEAD_TENSORS)) ?? [])]),
    baseModel: config.model_name || null,
    ...(head && { head }),
  };
}

/** The names of the files that {@link readStoredAdapter} reads: the settings first, the tensors last. */
export async function adapterFileNames(files: Files, { config }: StoredAdapter): Promise<string[]> {
  const others = isAdapterHub(config) ? [[HEAD_CONFIG], HEAD_TENSORS, TENSORS] : [PEFT_TENSORS];
  const found = await Promise.all(others.map((names) => findFirst(files, names)));
  return [ADAPTER_CONFIG, ...found.filter((name) => name !== undefined)];
}

async function withoutTensors(files: Files): Promise<UserError> {
  const [whole] = PEFT_TENSORS;
  const index = `${whole}.index.json`;
  if (!(await hasFile(files, index))) return missingIn(files, whole, "the adapter's tensors");
  return new InvalidFile({
    where: pathIn(files.name, index),
    fault: 'lists several files of tensors; PEFT reads adapters in one file only, and so does adalora',
    hint: `Save their tensors together as ${whole}.`,
  });
}

async function findFirst(files: Files, names: readonly string[]): Promise<string | undefined> {
  for (const name of names) if (await hasFile(files, name)) return name;
  return undefined;
}

/**
 * Reads the first file of `names` that exists.
 *
 * @param peftType for the message about tensors of whole numbers, which kinds have that are not supported
 */
async function readTensors(
  files: Files,
  names: readonly string[],
  maxBytes: number,
  peftType?: unknown,
): Promise<AdapterTensors | undefined> {
  for (const name of names) {
    const bytes = await readFile(files, name, maxBytes);
    if (!bytes) continue;
    const path = pathIn(files.name, name);
    const file = name.endsWith('.bin')
      ? TorchFile.open(bytesAsSource(bytes, path))
      : SafetensorsFile.of(bytes, path);
    const whole = file.names().find((key) => !/^(F|BF)\d/.test(file.info(key).dtype));
    if (whole !== undefined)
      throw new InvalidFile({
        where: `${path}: tensor ${whole}`,
        fault: `has values of ${file.info(whole).dtype}, as no supported adapter has${peftType === undefined ? '' : `, and peft_type is ${JSON.stringify(peftType)}`}`,
        hint: 'Save the adapter with floating-point values, or train one of another kind.',
      });
    return new Map(
      file.names().map((key) => [key, { shape: file.info(key).shape, data: file.readFloat32(key) }]),
    );
  }
  return undefined;
}

function checked<Settings>(schema: z.ZodType<Settings>, json: unknown, where: string): Settings {
  const settings = schema.safeParse(json);
  if (settings.success) return settings.data;
  const { path: key, message } = settings.error.issues[0]!;
  throw new InvalidFile(`${where}: ${key.length > 0 ? `${key.join('.')}: ` : ''}${message}`);
}
