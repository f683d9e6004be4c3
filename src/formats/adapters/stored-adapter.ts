import { UserError } from '../../support/user-error.ts';
import { excerptName } from '../excerpt.ts';

/** The tensors of an adapter, by the keys of its file. */
export type AdapterTensors = Map<string, AdapterTensor>;

export interface AdapterTensor {
  shape: number[];
  data: Float32Array;
}

/** An adapter as stored in its files. The methods interpret its settings and keys. */
export interface StoredAdapter {
  /** The content of `adapter_config.json`. */
  config: Readonly<Record<string, unknown>>;
  tensors: AdapterTensors;
  /** Folder or Hub id of the base model, if the settings have it. */
  baseModel: string | null;
  /**
   * The content of AdapterHub's `head_config.json`; PEFT has no such file. The tensors of the head are in
   * `tensors`.
   */
  head?: Readonly<Record<string, unknown>>;
}

/** The prefix of the keys of PEFT's tensors. */
export const PEFT_PREFIX = 'base_model.model.';

/**
 * The name of a tensor without PEFT's prefix.
 *
 * @throws UserError if it has another prefix
 */
export function peftName(key: string, where: string): string {
  if (key.startsWith(PEFT_PREFIX)) return key.slice(PEFT_PREFIX.length);
  throw new UserError({
    where,
    fault: `has the tensor ${excerptName(key)}; names of adapter tensors start with ${PEFT_PREFIX}`,
  });
}

/**
 * A full parameter of the model stored in an adapter, by its Hugging Face name. AdapterHub stores the name unchanged.
 */
export function savedTensor(tensors: AdapterTensors, name: string): AdapterTensor | undefined {
  return tensors.get(PEFT_PREFIX + name) ?? tensors.get(name);
}
