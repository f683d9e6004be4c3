import { ADAPTER_CONFIG, adapterFiles } from '../formats/adapters/adapter-files.ts';
import { SAFETENSORS, TORCH } from '../formats/checkpoint.ts';
import { PROCESSOR_FILE } from '../media/medium.ts';
import { hasTokens, TEXT_FILES } from '../text/text-files.ts';

/**
 * Weight files of a repository, in transformers' order of preference. Each format is a single file, or shards
 * with an index.
 */
const WEIGHTS = [
  { ...SAFETENSORS, shard: /^model-\d{5}-of-\d{5}\.safetensors$/ },
  { ...TORCH, shard: /^pytorch_model-\d{5}-of-\d{5}\.bin$/ },
];

/**
 * Files that sentence-transformers adds to a model: the list of its modules, and the config of its pooling
 * module.
 */
export const MODULES = 'modules.json';
export const POOLING = '1_Pooling';
/**
 * Files that define how a model pools token vectors into a text's vector. Earlier versions of this package
 * did not download them.
 */
export const POOLING_FILES = [MODULES, `${POOLING}/config.json`];

/** The possible names of the config of its transformer module. Only the first one is used by later versions. */
export const TRANSFORMER_FILES = [
  'bert',
  'roberta',
  'distilbert',
  'camembert',
  'albert',
  'xlm-roberta',
  'xlnet',
].map((family) => `sentence_${family}_config.json`);

/** Small files that describe the model and its inputs. */
const DESCRIPTION = [
  'config.json',
  'generation_config.json',
  ...TEXT_FILES,
  PROCESSOR_FILE,
  ...POOLING_FILES,
  ...TRANSFORMER_FILES,
  'config_sentence_transformers.json',
];

/** This package's own file in an adapter's folder; it records the task. */
const ADAPTER_NOTES = 'adalora.json';

/** Whether a repository contains an adapter. As in PEFT and transformers, only the adapter's config matters. */
export function isAdapterRepository(present: string[]): boolean {
  return present.includes(ADAPTER_CONFIG);
}

/**
 * The files of a repository that training needs; for an adapter, only its own files. Weights come last, so an
 * interrupted download lacks them. Null if there are no PyTorch weights.
 */
export function neededFiles(present: string[]): string[] | null {
  if (isAdapterRepository(present)) {
    const notes = present.includes(ADAPTER_NOTES) ? [ADAPTER_NOTES] : [];
    const [config, ...others] = adapterFiles(present) ?? [];
    return config === undefined ? null : [config, ...notes, ...others];
  }
  const weightFiles = WEIGHTS.flatMap(({ single, index, shard }) => {
    if (present.includes(single)) return [[single]];
    if (present.includes(index)) return [[index, ...present.filter((name) => shard.test(name)).sort()]];
    return [];
  })[0];
  return weightFiles ? [...DESCRIPTION.filter((name) => present.includes(name)), ...weightFiles] : null;
}

/** The file name of the index, if the weights are sharded. */
export function findIndex(present: string[]): string | undefined {
  const format = WEIGHTS.find(({ single, index }) => present.includes(single) || present.includes(index));
  return format && !present.includes(format.single) ? format.index : undefined;
}

/**
 * Whether a snapshot with these files can be used without asking the Hub.
 *
 * @param shards the files that the snapshot's index names
 */
export function isUsable(present: string[], shards: string[]): boolean {
  if (isAdapterRepository(present)) return neededFiles(present) !== null;
  return (
    present.includes('config.json') &&
    neededFiles(present) !== null &&
    shards.every((name) => present.includes(name))
  );
}

/**
 * Whether a snapshot has what the model's inputs need, of texts or of images. An adapter uses the files of its base
 * model. A snapshot that another program downloaded may lack them.
 */
export function hasInputFiles(present: string[]): boolean {
  return isAdapterRepository(present) || hasTokens(present) || present.includes(PROCESSOR_FILE);
}
