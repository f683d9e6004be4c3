import { isObject } from '../../support/is-object.ts';
import { REMOVED_METHOD_KEYS, type RemovedKey } from '../../tuners/removed-keys.ts';

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

/** The config without removed keys whose values had no effect. */
export function withoutRemovedKeys(config: unknown): unknown {
  if (!isObject(config)) return config;
  const kept = ([section, value]: [string, unknown]) => {
    if (!isObject(value)) return [section, value];
    const isKept = ([key, given]: [string, unknown]) => {
      const removed = REMOVED[`${section}.${key}`];
      return removed?.was === undefined || removed.was !== given;
    };
    return [section, Object.fromEntries(Object.entries(value).filter(isKept))];
  };
  return Object.fromEntries(Object.entries(config).map(kept));
}
