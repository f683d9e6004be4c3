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
  return leaves({ ...rest, data: columns, training: trainingKeys });
}

/** Every value of nested settings as JSON, by its dotted key. A key that is undefined is not set. */
function leaves(settings: object, prefix = ''): Map<string, string> {
  return new Map(
    Object.entries(settings).flatMap(([key, value]): [string, string][] => {
      if (value === undefined) return [];
      return typeof value === 'object' && value !== null && !Array.isArray(value)
        ? [...leaves(value, `${prefix}${key}.`)]
        : [[prefix + key, JSON.stringify(value)]];
    }),
  );
}
