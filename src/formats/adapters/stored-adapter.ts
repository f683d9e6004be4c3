/** The tensors of an adapter, by the keys of its file. */
export type AdapterTensors = Map<string, AdapterTensor>;

export interface AdapterTensor {
  shape: number[];
  data: Float32Array;
}

/** An adapter as its files hold it. Which method made it, and what its keys mean, the methods tell. */
export interface StoredAdapter {
  /** The content of `adapter_config.json`. */
  config: Readonly<Record<string, unknown>>;
  tensors: AdapterTensors;
  /** Folder or Hub id of the model that it changes, where it says. */
  baseModel: string | null;
  /** The content of AdapterHub's `head_config.json`, whose tensors are among the others. PEFT has no such file. */
  head?: Readonly<Record<string, unknown>>;
}

/** What the keys of PEFT's tensors begin with. */
export const PEFT_PREFIX = 'base_model.model.';

/** A parameter of the model that an adapter brings whole, by its Hugging Face name, which AdapterHub has as it is. */
export function savedTensor(tensors: AdapterTensors, name: string): AdapterTensor | undefined {
  return tensors.get(PEFT_PREFIX + name) ?? tensors.get(name);
}
