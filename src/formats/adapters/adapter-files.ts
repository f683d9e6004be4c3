/** The settings file of an adapter, in every format. */
export const ADAPTER_CONFIG = 'adapter_config.json';

/** Tensor files that PEFT reads, in its order of preference. */
export const PEFT_TENSORS = ['adapter_model.safetensors', 'adapter_model.bin'] as const;

/**
 * Files that AdapterHub's `adapters` saves in addition to the settings. Each tensor file has two forms; the first
 * is preferred.
 */
export const ADAPTERHUB_FILES = {
  tensors: ['adapter.safetensors', 'pytorch_adapter.bin'],
  headConfig: 'head_config.json',
  headTensors: ['model_head.safetensors', 'pytorch_model_head.bin'],
} as const;

const OF_ADAPTERHUB: readonly string[] = [
  ...ADAPTERHUB_FILES.tensors,
  ADAPTERHUB_FILES.headConfig,
  ...ADAPTERHUB_FILES.headTensors,
];

/** Every file that may belong to an adapter. */
export const ADAPTER_FILES: readonly string[] = [ADAPTER_CONFIG, ...PEFT_TENSORS, ...OF_ADAPTERHUB];

/** The formats of adapters. Both use one name for the settings file, so the other files determine the format. */
export type AdapterFormat = 'peft' | 'adapterhub';

/** The format of a folder with these files. */
export function formatOfFiles(present: readonly string[]): AdapterFormat {
  const hasPeft = firstOf(PEFT_TENSORS, present) !== undefined;
  return !hasPeft && firstOf(OF_ADAPTERHUB, present) !== undefined ? 'adapterhub' : 'peft';
}

/** The adapter's files in a folder with these files, the tensors last. Undefined if the tensors are missing. */
export function adapterFiles(present: readonly string[]): string[] | undefined {
  const { tensors, headConfig, headTensors } = ADAPTERHUB_FILES;
  const isPeft = formatOfFiles(present) === 'peft';
  const adapterFile = firstOf(isPeft ? PEFT_TENSORS : tensors, present);
  if (adapterFile === undefined || !present.includes(ADAPTER_CONFIG)) return undefined;
  const head = isPeft ? [] : [firstOf([headConfig], present), firstOf(headTensors, present)];
  return [ADAPTER_CONFIG, ...head.filter((name) => name !== undefined), adapterFile];
}

/** The first of some names that is present. */
export function firstOf<Name extends string>(
  names: readonly Name[],
  present: readonly string[],
): Name | undefined {
  return names.find((name) => present.includes(name));
}
