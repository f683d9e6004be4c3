import { leaves } from '../../../support/options.ts';
import { heldOutShare } from '../../../tasks/data-files.ts';
import type { RunConfig } from './run-config.ts';

/**
 * All config values that affect training, as JSON, by dotted key. Excluded are the locations of files, the device, threads,
 * gradient checkpointing (its results are bit for bit the same), and when something is reported.
 */
export function fingerprintSettings({
  output: _,
  device: __,
  threads: _____,
  defaults: ____,
  data,
  training,
  ...rest
}: RunConfig): Map<string, string> {
  const { train: ___, validation, ...files } = data;
  // Without a validation file, the held-out share determines the training rows.
  const columns = { ...files, ...(heldOutShare(validation) !== undefined && { validation }) };
  const { gradient_checkpointing, ...others } = training;
  const {
    logging_steps,
    log_importance,
    report_to,
    save_steps,
    save_total_limit,
    eval_strategy,
    eval_steps,
    stop_at_step,
    ...trainingKeys
  } = others;
  const values = leaves({ ...rest, data: columns, training: trainingKeys });
  // A key that is undefined is not set.
  const set = values.filter(([, value]) => value !== undefined);
  return new Map(set.map(([key, value]) => [key, JSON.stringify(value)]));
}
