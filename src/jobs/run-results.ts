import type { StoredAdapter } from '../formats/adapters/stored-adapter.ts';
import { weightsDigest } from '../formats/source-digest.ts';
import { modelCard } from '../report/model-card.ts';
import type { FinishEvent } from '../run/events.ts';
import { formatNotes } from '../trained/notes.ts';
import type { MethodRun } from '../tuners/method-run.ts';
import type { RunBeginning } from './begin-run.ts';

/** The results of a finished run. */
export interface RunResults {
  /** Undefined if the model itself was trained. */
  adapter?: StoredAdapter;
  /** The text of the notes file, which is stored with the adapter or the model. */
  notes: string;
  /** The text of the run's README.md. */
  card: string;
}

/** @param weights digests of the weight files at the start of the run; empty for random weights */
export function runResults(
  { config, data, labels, maxLength, onlyBase }: RunBeginning,
  method: MethodRun,
  values: Float32Array,
  finish: FinishEvent,
  weights: readonly string[],
): RunResults {
  const base_digest = method.store && weights.length > 0 ? weightsDigest(weights) : undefined;
  return {
    adapter: method.store?.(values, config.model, labels),
    notes: formatNotes(
      { task: config.task, data, model_config: config.model_config, base_digest, base_dtype: onlyBase },
      labels,
      maxLength,
    ),
    card: modelCard({
      config: { ...config, data: { ...config.data, max_length: maxLength } },
      labels,
      onlyBase,
      steps: finish.step,
      trainableParameters: values.length,
      metrics: finish.metrics,
      verdict: finish.verdict,
      ranks: finish.ranks,
    }),
  };
}
