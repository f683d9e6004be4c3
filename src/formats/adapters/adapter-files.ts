/** The settings of an adapter, in every format. */
export const ADAPTER_CONFIG = 'adapter_config.json';

/** Files of tensors that PEFT reads, in its order of preference. */
export const PEFT_TENSORS = ['adapter_model.safetensors', 'adapter_model.bin'] as const;

/** What AdapterHub's `adapters` saves beside the settings, each file of tensors in two forms: the first is preferred. */
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

/** The formats of adapters. Both call their settings alike: what lies beside them tells which it is. */
export type AdapterFormat = 'peft' | 'adapterhub';

/** The format of a folder with these files. */
export function formatOfFiles(present: readonly string[]): AdapterFormat {
  const hasPeft = firstOf(PEFT_TENSORS, present) !== undefined;
  return !hasPeft && firstOf(OF_ADAPTERHUB, present) !== undefined ? 'adapterhub' : 'peft';
}

/** Of the files of a folder those of its adapter, its own tensors last; undefined where these are missing. */
export function adapterFiles(present: readonly string[]): string[] | undefined {
  const { tensors, headConfig, headTensors } = ADAPTERHUB_FILES;
  const isPeft = formatOfFiles(present) === 'peft';
  const own = firstOf(isPeft ? PEFT_TENSORS : tensors, present);
  if (own === undefined || !present.includes(ADAPTER_CONFIG)) return undefined;
  const head = isPeft ? [] : [firstOf([headConfig], present), firstOf(headTensors, present)];
  return [ADAPTER_CONFIG, ...head.filter((name) => name !== undefined), own];
}

/** The first of some names that is there. */
export function firstOf<Name extends string>(
  names: readonly Name[],
  present: readonly string[],
): Name | undefined {
  return names.find((name) => present.includes(name));
}
