import { z } from 'zod';
import { InvalidFile } from '../../../support/user-error.ts';
import { excerptName } from '../excerpt.ts';

const schema = z.record(z.string(), z.int().min(0));

/** Class names by id from AdapterHub's `head_config.json`; undefined if the adapter has none. */
export function headLabels({ head }: Pick<StoredAdapter, 'head'>): Record<string, string> | undefined {
  const config = head?.config as { label2id?: unknown } | null | undefined;
  const labels = schema.safeParse(config?.label2id ?? head?.label2id).data;
  if (!labels) return undefined;
  const byId = Object.entries(labels).sort(([, a], [, b]) => a - b);
  return Object.fromEntries(byId.map(([name, id]) => [id, name]));
}

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
  throw new InvalidFile({
    where,
    fault: `has the tensor ${excerptName(key)}; names of adapter tensors start with ${PEFT_PREFIX}`,
  });
}

/**
 * Finds a whole parameter of the model in an adapter, by its Hugging Face name. PEFT adds a prefix to the
 * name; AdapterHub does not.
 */
export function savedTensor(tensors: AdapterTensors, name: string): AdapterTensor | undefined {
  return tensors.get(PEFT_PREFIX + name) ?? tensors.get(name);
}
