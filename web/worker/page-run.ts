import type { PageFilesConfig } from '../../src/faces/web/page-config.ts';
import type { Split } from '../data/chosen-rows.ts';
import type { Goal } from './goal.ts';

/** The user's choices other than columns. */
export interface Settings {
  /** Number of epochs. By default, the policy chooses it. */
  epochs?: number;
  /** AdaLoRA's final mean rank. */
  rank: number;
  device: 'wasm' | 'webgpu';
}

/** The data and settings of a run in this page. They are stored while the run is active. */
export interface PageRun {
  config: PageFilesConfig;
  /** The rows as JSON Lines, by their names in the config. */
  files: Record<string, string>;
  fileName: string;
  trainRows: number;
  heldOutRows: number;
}

const HELD_OUT = 'held-out.jsonl';
const SEED = 0;

/**
 * Builds the config of a run: AdaLoRA on the embedded encoder. The policy chooses other settings.
 *
 * @param names names of the two columns, as in the files with which the adapter will be used
 */
export function pageRun(
  fileName: string,
  { goal, names: [input, target] }: { goal: Goal; names: readonly [string, string] },
  { train, heldOut }: Split,
  { epochs, rank, device }: Settings,
): PageRun {
  const trainName = `${fileName.replace(/\.[^.]*$/, '')}.jsonl`;
  const lines = (rows: Split['train']) =>
    rows.map((row) => `${JSON.stringify({ [input]: row[0], [target]: row[1] })}\n`).join('');
  const isHeldOut = heldOut.length > 0;
  const data = { train: trainName, ...(isHeldOut && { validation: HELD_OUT }), max_length: 128 };
  return {
    config: {
      ...{ device, seed: SEED, method: 'adalora' },
      ...(goal === 'search'
        ? { task: 'sentence_embedding', data: { ...data, anchor: input, positive: target } }
        : { data: { ...data, text: input, label: target } }),
      ...(epochs !== undefined && { training: { num_train_epochs: epochs } }),
      adalora: { target_r: rank },
    },
    files: { [trainName]: lines(train), ...(isHeldOut && { [HELD_OUT]: lines(heldOut) }) },
    fileName,
    trainRows: train.length,
    heldOutRows: heldOut.length,
  };
}
