import { isObject } from '../../support/is-object.ts';
import { METHOD_NAMES } from '../../tuners/registry.ts';

interface RemovedKey {
  /** The value with which the key had no effect. Configs of finished runs contain it, so it is still accepted. */
  was?: unknown;
  /** What the key is called now, or why it can be removed. */
  hint: string;
}

/** Keys of earlier configs, by section and key. The sections of all methods are under `method`. */
const REMOVED: Readonly<Record<string, RemovedKey>> = {
  'training.fall_back_to_majority': { hint: 'It is a part of training.floor now.' },
  'training.linear_probe': { hint: 'A linear probe is a part of training.floor now.' },
  'training.prefer_later_model': {
    hint: 'Remove it: the last model is kept, unless load_best_model_at_end is true.',
  },
  'method.grow': { was: false, hint: 'Remove it: pruned triplets do not restart.' },
};

function removedKey(section: string, key: string): RemovedKey | undefined {
  const isMethod = (METHOD_NAMES as readonly string[]).includes(section);
  return REMOVED[`${isMethod ? 'method' : section}.${key}`];
}

/** The sentence about a key that earlier configs had. Undefined for other keys. */
export function removedHint(section: string, key: string): string | undefined {
  return removedKey(section, key)?.hint;
}

/** The config without removed keys whose values had no effect. */
export function withoutRemovedKeys(config: unknown): unknown {
  if (!isObject(config)) return config;
  return Object.fromEntries(
    Object.entries(config).map(([section, value]) => {
      if (!isObject(value)) return [section, value];
      const kept = Object.entries(value).filter(([key, given]) => {
        const removed = removedKey(section, key);
        return removed === undefined || !('was' in removed) || removed.was !== given;
      });
      return [section, Object.fromEntries(kept)];
    }),
  );
}
