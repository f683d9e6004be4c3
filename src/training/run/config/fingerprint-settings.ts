import { leaves } from '../../../support/options.ts';
import { heldOutShare } from '../../../tasks/data-files.ts';
import { COMMON_KEYS, type RunConfig } from './run-config.ts';
import { TRAINING_KEYS } from './training-section.ts';

/** Whether a key, by its dotted name, may affect what a run learns. The rows of `data.train` do, but not their place. */
export function hasEffect(key: string): boolean {
  const [section, name = ''] = key.split('.');
  const found = section === 'training' ? TRAINING_KEYS[name] : COMMON_KEYS[section!];
  return key !== 'data.train' && found?.effect !== 'none';
}

/** All config values that affect training, as JSON, by dotted key. */
export function fingerprintSettings(config: RunConfig): Map<string, string> {
  // Without a validation file, the held-out share determines the training rows.
  const isSplit = heldOutShare(config.data.validation) !== undefined;
  const isOther = (key: string) => !isSplit && /^data\.validation(\.|$)/.test(key);
  // A key that is undefined is not set.
  const values = leaves(config).filter(
    ([key, value]) => value !== undefined && hasEffect(key) && !isOther(key),
  );
  return new Map(values.map(([key, value]) => [key, JSON.stringify(value)]));
}
