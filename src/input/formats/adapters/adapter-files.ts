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

/** All files that may belong to an adapter. */
export const ADAPTER_FILES: readonly string[] = [
  ADAPTER_CONFIG,
  ...PEFT_TENSORS,
  ...ADAPTERHUB_FILES.tensors,
  ADAPTERHUB_FILES.headConfig,
  ...ADAPTERHUB_FILES.headTensors,
];

/**
 * The files of an adapter among those of its folder. Tensors come last. Undefined if the tensors are missing.
 */
export function adapterFiles(present: readonly string[]): string[] | undefined {
  const { tensors, headConfig, headTensors } = ADAPTERHUB_FILES;
  const ofPeft = findFirst(PEFT_TENSORS, present);
  const adapterFile = ofPeft ?? findFirst(tensors, present);
  if (adapterFile === undefined || !present.includes(ADAPTER_CONFIG)) return undefined;
  const head = ofPeft ? [] : [findFirst([headConfig], present), findFirst(headTensors, present)];
  return [ADAPTER_CONFIG, ...head.filter((name) => name !== undefined), adapterFile];
}

/** Returns the first of `names` that is present. */
function findFirst<Name extends string>(
  names: readonly Name[],
  present: readonly string[],
): Name | undefined {
  return names.find((name) => present.includes(name));
}
