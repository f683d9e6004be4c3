import { isAdapterHub } from '../../formats/adapters/adapterhub-config.ts';
import type { StoredAdapter } from '../../formats/adapters/stored-adapter.ts';
import { HEADS, headOfClass } from './registry.ts';

/**
 * PEFT's `task_type` of an adapter; null if the adapter has none. For AdapterHub's format, it is derived from
 * the transformers class or the `head_type`.
 */
export function taskTypeOf({ config, head }: Pick<StoredAdapter, 'config' | 'head'>): string | null {
  if (!isAdapterHub(config)) return typeof config.task_type === 'string' ? config.task_type : null;
  const exchangeable = head?.config as { head_type: string } | null | undefined;
  const found = exchangeable
    ? Object.values(HEADS).find(({ adapterHubTypes }) => adapterHubTypes.includes(exchangeable.head_type))
    : headOfClass(((head ?? config).model_class as string).replace(/AdapterModel$/, ''));
  return found?.taskType ?? null;
}
