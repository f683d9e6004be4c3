import type { ParsedConfig, RunConfig } from '../run-config.ts';
import { sectionKeys } from './open-keys.ts';

/**
 * Returns the config of a resumed run. Values that it does not set are those that were chosen when the run started,
 * even if another version chose them.
 *
 * @param before the run's config.yaml
 */
export function keepChoices(resumed: ParsedConfig, before: RunConfig): ParsedConfig {
  const { method, training, data } = resumed;
  // An early stop is not kept. Each resume must request it again.
  const { stop_at_step: _, ...begun } = before.training;
  const isOpen = data.validation === undefined && training.eval_strategy === undefined;
  const section = (config: object) => (config as Record<string, Record<string, unknown> | undefined>)[method];
  const [current, kept] = [section(resumed), section(before)];
  const chosen = kept && sectionKeys(method).flatMap((key) => (key in kept ? [[key, kept[key]]] : []));
  return {
    ...resumed,
    data: {
      ...data,
      ...(isOpen && before.data.validation && { validation: before.data.validation }),
      ...(!('pooling' in data) && 'pooling' in before.data && { pooling: before.data.pooling }),
    },
    training: { ...begun, ...training },
    ...(current && { [method]: { ...Object.fromEntries(chosen ?? []), ...current } }),
  } as ParsedConfig;
}
