/** The name of an adapter's settings file, in every format. */
export const ADAPTER_CONFIG = 'adapter_config.json';

/** Tensor files of PEFT adapters, in PEFT's order of preference. */
export const PEFT_TENSORS = ['adapter_model.safetensors', 'adapter_model.bin'] as const;

/**
 * Files that AdapterHub's `adapters` saves in addition to the settings. A tensor file has one of two names;
 * the first is preferred.
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

/** All files that may belong to an adapter. */
export const ADAPTER_FILES: readonly string[] = [ADAPTER_CONFIG, ...PEFT_TENSORS, ...OF_ADAPTERHUB];

/** Formats of adapters. The settings file has the same name in both, so the other files determine the format. */
export type AdapterFormat = 'peft' | 'adapterhub';

/** The format of an adapter, from the names of its folder's files. */
export function formatOfFiles(present: readonly string[]): AdapterFormat {
  const hasPeft = firstOf(PEFT_TENSORS, present) !== undefined;
  return !hasPeft && firstOf(OF_ADAPTERHUB, present) !== undefined ? 'adapterhub' : 'peft';
}

/** The files of an adapter among those of its folder. Tensors come last. Undefined if the tensors are missing. */
export function adapterFiles(present: readonly string[]): string[] | undefined {
  const { tensors, headConfig, headTensors } = ADAPTERHUB_FILES;
  const isPeft = formatOfFiles(present) === 'peft';
  const adapterFile = firstOf(isPeft ? PEFT_TENSORS : tensors, present);
  if (adapterFile === undefined || !present.includes(ADAPTER_CONFIG)) return undefined;
  const head = isPeft ? [] : [firstOf([headConfig], present), firstOf(headTensors, present)];
  return [ADAPTER_CONFIG, ...head.filter((name) => name !== undefined), adapterFile];
}

/** Returns the first of `names` that is present. */
export function firstOf<Name extends string>(
  names: readonly Name[],
  present: readonly string[],
): Name | undefined {
  return names.find((name) => present.includes(name));
}
