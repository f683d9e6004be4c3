import type { Communicator } from '../../parallel/communicator.ts';
import type { ParsedConfig } from '../../run/config/run-config.ts';

/**
 * Converts the config of a run with several processes to the same run in a single process: its batches contain the rows
 * of all processes. A missing batch size will be chosen for all processes together.
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
