import { z } from 'zod';

/** AdapterHub's `adapter_config.json`. The method's settings are checked elsewhere. */
export const adapterHubSchema = z.looseObject({
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
export const adapterHubHeadSchema = z.looseObject({
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
