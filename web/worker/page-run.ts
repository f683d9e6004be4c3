import type { PageConfig } from '../../src/web/page-config.ts';
import type { Split } from '../data/split-rows.ts';

/** What the user chose beside the columns. */
export interface Settings {
  /** Times through the rows. Without it, the policy of defaults chooses. */
  epochs?: number;
  /** The mean rank that AdaLoRA ends with. */
  rank: number;
  device: 'wasm' | 'webgpu';
}

/** All that a run in this page trains on and is told by: what is kept of it while it goes on. */
export interface PageRun {
  config: PageConfig;
  /** The rows, as JSON Lines, by the names that the config calls them. */
  files: Record<string, string>;
  fileName: string;
  trainRows: number;
  heldOutRows: number;
}

const HELD_OUT = 'held-out.jsonl';
export const SEED = 0;

/**
 * AdaLoRA on the embedded encoder. What is not set here is chosen as for every other run.
 *
 * @param names of the columns: those that the adapter's users will have in their files
 */
export function pageRun(
  fileName: string,
  names: { text: string; label: string },
  { train, heldOut }: Split,
  { epochs, rank, device }: Settings,
): PageRun {
  const trainName = `${fileName.replace(/\.[^.]*$/, '')}.jsonl`;
  const lines = (rows: Split['train']) =>
    rows
      .map(({ text, label }) => `${JSON.stringify({ [names.text]: text, [names.label]: label })}\n`)
      .join('');
  return {
    config: {
      ...{ device, seed: SEED, method: 'adalora' },
      data: { train: trainName, validation: HELD_OUT, ...names, max_length: 128 },
      ...(epochs !== undefined && { training: { num_train_epochs: epochs } }),
      adalora: { target_r: rank },
    },
    files: { [trainName]: lines(train), [HELD_OUT]: lines(heldOut) },
    fileName,
    trainRows: train.length,
    heldOutRows: heldOut.length,
  };
}
