import { z } from 'zod';

/** AdapterHub's `adapter_config.json`, without the details of the method's settings. */
export const adapterHubSchema = z.looseObject({
  /** The adapter's name within its model; part of the names of its tensors. */
  name: z.string().min(1),
  /** A class of transformers, or of AdapterHub's own models with exchangeable heads. */
  model_class: z.string(),
  /** Folder or Hub id of the base model. */
  model_name: z.string().nullish(),
  /** The method's settings. */
  config: z.looseObject({}),
});

/** AdapterHub's `head_config.json`. */
export const adapterHubHeadSchema = z.looseObject({
  model_class: z.string(),
  /** Set for an exchangeable head. */
  config: z.looseObject({ head_type: z.string() }).nullish(),
});

/** Whether the settings of an adapter are AdapterHub's; PEFT's have a `peft_type`. */
export function isAdapterHub(config: Readonly<Record<string, unknown>>): boolean {
  return typeof config.model_class === 'string' && config.peft_type === undefined;
}

/** Whether a tensor belongs to the adapter and not to its head. */
export function isAdapterHubTensor(key: string): boolean {
  return key.includes('.adapters.');
}
