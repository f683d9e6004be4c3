import { z } from 'zod';
import type { StoredAdapter } from './stored-adapter.ts';

const schema = z.record(z.string(), z.int().min(0));

/** Class names by id from AdapterHub's `head_config.json`; undefined if the adapter has none. */
export function headLabels({ head }: Pick<StoredAdapter, 'head'>): Record<string, string> | undefined {
  const config = head?.config as { label2id?: unknown } | null | undefined;
  const labels = schema.safeParse(config?.label2id ?? head?.label2id).data;
  if (!labels) return undefined;
  const byId = Object.entries(labels).sort(([, a], [, b]) => a - b);
  return Object.fromEntries(byId.map(([name, id]) => [id, name]));
}
