/** The tensors of an adapter, by the keys of its file. */
export type AdapterTensors = Map<string, { shape: number[]; data: Float32Array }>;

/** An adapter as its files hold it. Which method made it, and what its keys mean, the methods tell. */
export interface StoredAdapter {
  /** The content of `adapter_config.json`. */
  config: Readonly<Record<string, unknown>>;
  tensors: AdapterTensors;
  /** Folder or Hub id of the model that it changes, where it says. */
  baseModel: string | null;
  /** PEFT's `task_type`; null where it has none. */
  taskType: string | null;
}

/** What the keys of PEFT's tensors begin with. */
export const PEFT_PREFIX = 'base_model.model.';
