import { REMOVED_METHOD_KEYS, type RemovedKey } from '../../../methods/tuners/removed-keys.ts';
import { isObject } from '../../../support/options.ts';

/** Keys of earlier configs, by section and key. */
const REMOVED: Readonly<Record<string, RemovedKey>> = {
  ...REMOVED_METHOD_KEYS,
  'training.fall_back_to_majority': { hint: 'It is a part of training.floor now.' },
  'training.linear_probe': { hint: 'A linear probe is a part of training.floor now.' },
  'training.prefer_later_model': {
    hint: 'Remove it: the last model is kept, unless load_best_model_at_end is true.',
  },
};

/** The sentence about a key that earlier configs had. Undefined for other keys. */
export function removedHint(section: string, key: string): string | undefined {
  return REMOVED[`${section}.${key}`]?.hint;
}

/** The config with the keys of today, and without removed keys whose values had no effect. */
export function withoutRemovedKeys(config: unknown): unknown {
  if (!isObject(config)) return config;
  return Object.fromEntries(
    Object.entries(config).map(([section, value]) => [
      section,
      isObject(value) ? currentSection(section, value) : value,
    ]),
  );
}

function currentSection(section: string, keys: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const current: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(keys)) {
    // A key that is null is not set.
    const removed = value === null ? undefined : REMOVED[`${section}.${key}`];
    if (removed?.was !== undefined && removed.was === value) continue;
    const [name, converted] = removed?.becomes?.(value) ?? [key, value];
    // A second budget keeps its old name, and is reported.
    if (name in keys || name in current) current[key] = value;
    else current[name] = converted;
  }
  return current;
}
