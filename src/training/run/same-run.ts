import { Sha256 } from '../../support/sha256.ts';
import type { RunLength } from './checkpoint.ts';
import { fingerprintSettings } from './config/fingerprint-settings.ts';
import type { RunConfig } from './config/run-config.ts';

/**
 * A hash of everything that affects training. It is equal for two runs that are identical step by step, in Node and in
 * a page.
 *
 * @param digests of the files that the run reads: the data, the model and the continued adapter
 */
export function fingerprintOf(
  config: RunConfig,
  labels: readonly string[],
  digests: readonly string[],
): string {
  const settings = [...fingerprintSettings(config)].sort();
  const hash = new Sha256().update(JSON.stringify([settings, labels]));
  for (const digest of digests) hash.update(digest);
  return hash.digest('hex');
}

export function lengthOf({ training: { max_steps, num_train_epochs } }: RunConfig): RunLength {
  return { max_steps, num_train_epochs };
}

/** Returns a config with another length; undefined if it already has that length. */
export function withLength(config: RunConfig, length: RunLength): RunConfig | undefined {
  const current = lengthOf(config);
  if (current.max_steps === length.max_steps && current.num_train_epochs === length.num_train_epochs)
    return undefined;
  return { ...config, training: { ...config.training, ...length } };
}
