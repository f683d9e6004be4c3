import type { Communicator } from '../../parallel/communicator.ts';
import type { RunConfig } from '../../run/config/run-config.ts';

/** The config of a run of several processes as one process alone would have it: its batches are those of all of them. */
export function asAlone(config: RunConfig, { size }: Pick<Communicator, 'size'>): RunConfig {
  const { training } = config;
  const per_device_train_batch_size = training.per_device_train_batch_size * size;
  return { ...config, training: { ...training, per_device_train_batch_size } };
}
