import type { PageConfig } from '../../src/faces/web/page-options.ts';
import type { Split } from '../data/chosen-rows.ts';
import type { RowFiles } from '../data/row-files.ts';
import type { Goal } from './goal.ts';

/** The user's choices other than columns. */
export interface Settings {
  /** Number of epochs. By default, the policy chooses it. */
  epochs?: number;
  /** AdaLoRA's final mean rank. */
  rank: number;
  device: 'wasm' | 'webgpu';
  /**
   * The model's name, which its adapter records, and its files if the page does not have them. Undefined for the built-in
   * encoder.
   */
  model?: { name: string; files?: Record<string, Blob> };
}

/** The data and settings of a run in this page. They are stored while the run is active. */
export interface PageRun {
  config: PageConfig;
  /** The rows as JSON Lines, by their names in the config, and the files that they name. */
  files: Record<string, Blob | string>;
  /** The files of the model, if the page does not have them. */
  modelFiles?: Record<string, Blob>;
  fileName: string;
  trainRows: number;
  heldOutRows: number;
}

const HELD_OUT = 'held-out.jsonl';
const SEED = 0;
/**
 * A step of 16 files, one at a time. With DINOv2-small, a page then needs 0.96 GB, and 70 MB more for each further
 * picture (bench/log/2026-11-30-images.md).
 */
const ONE_FILE = {
  per_device_train_batch_size: 1,
  gradient_accumulation_steps: 16,
  per_device_eval_batch_size: 2,
};

/** The encoder's states of a clip are computed once, and each batch of them needs 55 MB per clip and layer. */
const FEW_CLIPS = { per_device_eval_batch_size: 1 };

/**
 * Builds the config of a run: AdaLoRA on the embedded encoder, or on a model that the user chose. The policy chooses other
 * settings.
 *
 * @param names names of the two columns, as in the files with which the adapter will be used
 * @param contents the files that rows name
 */
export function pageRun(
  fileName: string,
  { goal, names: [input, target] }: { goal: Goal; names: readonly [string, string] },
  { train, heldOut }: Split,
  { epochs, rank, device, model }: Settings,
  contents?: RowFiles,
): PageRun {
  const trainName = `${fileName.replace(/\.[^.]*$/, '')}.jsonl`;
  const lines = (rows: Split['train']) =>
    rows.map((row) => `${JSON.stringify({ [input]: row[0], [target]: row[1] })}\n`).join('');
  // A run on pairs holds out the same ones, and searches the answers of all.
  const isHeldOut = goal !== 'search' && heldOut.length > 0;
  const data = { train: trainName, ...(isHeldOut && { validation: HELD_OUT }) };
  const training = {
    ...(epochs !== undefined && { num_train_epochs: epochs }),
    ...(contents && (goal === 'transcripts' ? FEW_CLIPS : ONE_FILE)),
  };
  return {
    config: {
      device,
      seed: SEED,
      method: 'adalora',
      ...taskFor(goal, data, [input, target]),
      ...(Object.keys(training).length > 0 && { training }),
      ...(model && { model: model.name }),
      adalora: { target_r: rank },
    },
    files: {
      ...Object.fromEntries(contents?.files ?? []),
      [trainName]: lines(isHeldOut ? train : [...train, ...heldOut]),
      ...(isHeldOut && { [HELD_OUT]: lines(heldOut) }),
    },
    ...(model?.files && { modelFiles: model.files }),
    fileName,
    trainRows: train.length,
    heldOutRows: heldOut.length,
  };
}

/** The task of a goal, with its data. */
function taskFor(goal: Goal, files: { train: string }, [input, target]: readonly [string, string]) {
  const data = { ...files, max_length: 128 };
  switch (goal) {
    case 'search':
      return { task: 'sentence_embedding', data: { ...data, anchor: input, positive: target } } as const;
    case 'transcripts':
      return {
        task: 'automatic_speech_recognition',
        data: { ...files, text: input, transcript: target },
      } as const;
    default:
      return { data: { ...data, text: input, label: target } };
  }
}
