import { z } from 'zod';

/** What AdapterHub's `adapter_config.json` says, the settings of the method apart. */
export const adapterHubSchema = z.looseObject({
  /** The adapter's among those of a model; stands in the names of its tensors. */
  name: z.string().min(1),
  /** Of transformers, or of AdapterHub's own models whose heads can be exchanged. */
  model_class: z.string(),
  /** Folder or Hub id of the base model. */
  model_name: z.string().nullish(),
  /** The method's settings. */
  config: z.looseObject({}),
});

/** What `head_config.json` says. */
export const adapterHubHeadSchema = z.looseObject({
  model_class: z.string(),
  /** Of an exchangeable head. */
  config: z.looseObject({ head_type: z.string() }).nullish(),
});

/** Whether the settings of an adapter are AdapterHub's; PEFT's name a `peft_type`. */
export function isAdapterHub(config: Readonly<Record<string, unknown>>): boolean {
  return typeof config.model_class === 'string' && config.peft_type === undefined;
}

/** Whether a tensor belongs to an adapter itself, and not to the head beside it. */
export function isAdapterHubTensor(key: string): boolean {
  return key.includes('.adapters.');
}
