import { isAdapterHub } from '../../input/formats/adapters/read-stored-adapter.ts';
import type { StoredAdapter } from '../../input/formats/adapters/stored-adapter.ts';
import type { CommonConfig } from '../model-definition.ts';
import { HEADS, type HeadKind, headNamed, headOfClass } from './registry.ts';

/** PEFT's `task_type` for a model; null if PEFT has none, as for all models of images. */
export function taskTypeFor({
  headKind,
  config,
}: {
  headKind: HeadKind;
  config: CommonConfig;
}): string | null {
  return config.content ? null : headNamed(headKind).taskType;
}

/**
 * PEFT's `task_type` of an adapter; null if the adapter has none. For AdapterHub's format, it is derived from
 * the transformers class or the `head_type`.
 */
export function nameTaskType({ config, head }: Pick<StoredAdapter, 'config' | 'head'>): string | null {
  if (!isAdapterHub(config)) return typeof config.task_type === 'string' ? config.task_type : null;
  const exchangeable = head?.config as { head_type: string } | null | undefined;
  const found = exchangeable
    ? Object.values(HEADS).find(({ adapterHubTypes }) => adapterHubTypes.includes(exchangeable.head_type))
    : headOfClass(((head ?? config).model_class as string).replace(/AdapterModel$/, ''));
  return found?.taskType ?? null;
}
