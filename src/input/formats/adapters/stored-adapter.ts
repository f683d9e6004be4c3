import { UserError } from '../../../support/user-error.ts';
import { excerptName } from '../excerpt.ts';

/** An adapter's tensors, by their keys in the file. */
export type AdapterTensors = Map<string, AdapterTensor>;

export interface AdapterTensor {
  shape: number[];
  data: Float32Array;
}

/** An adapter as it is stored. Its method interprets the settings and the keys of tensors. */
export interface StoredAdapter {
  /** The content of `adapter_config.json`. */
  config: Readonly<Record<string, unknown>>;
  tensors: AdapterTensors;
  /** Folder or Hub id of the base model; null if the settings lack it. */
  baseModel: string | null;
  /** The content of AdapterHub's `head_config.json`. PEFT has no such file. The head's tensors are in `tensors`. */
  head?: Readonly<Record<string, unknown>>;
}

/** Prefix of the tensor keys in PEFT's files. */
export const PEFT_PREFIX = 'base_model.model.';

/**
 * Removes PEFT's prefix from a tensor's key.
 *
 * @throws UserError if the key has another prefix
 */
export function peftName(key: string, where: string): string {
  if (key.startsWith(PEFT_PREFIX)) return key.slice(PEFT_PREFIX.length);
  throw new UserError({
    where,
    fault: `has the tensor ${excerptName(key)}; names of adapter tensors start with ${PEFT_PREFIX}`,
  });
}

/** The prefix of the keys of PEFT's adapters that do not wrap the model's modules. */
export const UNWRAPPED_PREFIX = 'base_model.';

/**
 * Finds a whole parameter of the model in an adapter, by its Hugging Face name. PEFT adds a prefix to the
 * name; AdapterHub does not.
 */
export function savedTensor(tensors: AdapterTensors, name: string): AdapterTensor | undefined {
  return tensors.get(PEFT_PREFIX + name) ?? tensors.get(UNWRAPPED_PREFIX + name) ?? tensors.get(name);
}
