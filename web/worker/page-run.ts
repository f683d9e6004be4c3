import type { PageConfig } from '../../src/web/page-config.ts';
import type { Split } from '../data/split-rows.ts';

/** What the user chose beside the columns. */
export interface Settings {
  epochs: number;
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
  guess: Split['guess'];
}

const BATCH = 16;
/** Fewer teach it too little. */
const LEAST_STEPS = 90;
const MOST_EPOCHS = 20;
const HELD_OUT = 'held-out.jsonl';
export const SEED = 0;

/** How often the rows are gone through, where nobody says. */
export function epochsFor(trainRows: number): number {
  return Math.min(MOST_EPOCHS, Math.max(2, Math.ceil(LEAST_STEPS / stepsPerEpoch(trainRows))));
}

function stepsPerEpoch(trainRows: number): number {
  return Math.ceil(trainRows / BATCH);
}

/**
 * AdaLoRA on the embedded encoder, at the demo's settings.
 *
 * @param names of the columns: those that the adapter's users will have in their files
 */
export function pageRun(
  fileName: string,
  names: { text: string; label: string },
  { train, heldOut, guess }: Split,
  { epochs, rank, device }: Settings,
): PageRun {
  const trainName = `${fileName.replace(/\.[^.]*$/, '')}.jsonl`;
  const lines = (rows: Split['train']) =>
    rows
      .map(({ text, label }) => `${JSON.stringify({ [names.text]: text, [names.label]: label })}\n`)
      .join('');
  const steps = epochs * stepsPerEpoch(train.length);
  return {
    config: {
      ...{ device, seed: SEED, method: 'adalora' },
      data: { train: trainName, validation: HELD_OUT, ...names, max_length: 128 },
      training: {
        num_train_epochs: epochs,
        learning_rate: 8e-3,
        per_device_train_batch_size: BATCH,
        warmup_ratio: 0.06,
        logging_steps: Math.max(1, Math.floor(steps / 200)),
      },
      adalora: {
        ...{ target_r: rank, lora_alpha: 16, tinit: '10%', tfinal: '40%' },
        deltaT: Math.max(1, Math.floor(steps / 60)),
      },
    },
    files: { [trainName]: lines(train), [HELD_OUT]: lines(heldOut) },
    fileName,
    trainRows: train.length,
    heldOutRows: heldOut.length,
    guess,
  };
}
