import type { Communicator } from '../../parallel/communicator.ts';
import type { ParsedConfig } from '../../run/config/run-config.ts';

/**
 * Converts the config of a run in several processes to the same run in one process. A batch then contains the
 * rows of all processes. A missing batch size is chosen for all processes together.
 */
export function asAlone<Config extends ParsedConfig>(
  config: Config,
  { size }: Pick<Communicator, 'size'>,
): Config {
  const { training } = config;
  const batchSize = training.per_device_train_batch_size;
  if (batchSize === undefined) return config;
  return { ...config, training: { ...training, per_device_train_batch_size: batchSize * size } };
}
