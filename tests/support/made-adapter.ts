import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { METHODS } from '../../src/methods/tuners/registry.ts';
import { featureWidth } from '../../src/program/objectives/sentence-classifier.ts';
import { Random } from '../../src/support/random.ts';
import type { BaseData } from '../../src/tasks/prediction.ts';
import { type TaskName, taskNamed } from '../../src/tasks/registry.ts';
import { encodeLayer, LAYER_FILE } from '../../src/use/trained/layer-file.ts';
import { formatNotes, NOTES_FILE } from '../../src/use/trained/notes.ts';
import { writeAdapter } from './adapter-folder.ts';
import { openIn } from './describe-in.ts';

export interface MadeAdapter {
  task?: TaskName;
  labels?: readonly string[];
  method?: 'lora' | 'adalora' | 'svd_lora' | 'prune_lora' | 'bitfit' | 'houlsby' | 'pfeiffer';
  /** The rank of factors, or the size of bottlenecks. */
  rank?: number;
  seed: number;
  /** The task's `data` keys, if a row is not one text. */
  data?: object;
  /** The adapted modules, as in `target_modules`. */
  targets?: string[] | string;
  /** Standard deviation of the values. */
  deviation?: number;
  /** Modules to train in full besides factors. */
  modules?: string[];
  /** The `base_digest` in the notes. */
  base_digest?: string;
}

const STEPS = 100;

/** Writes the folder of an adapter with random values. With a task, it also writes adalora's notes. */
export function writeMadeAdapter(
  folder: string,
  base: string,
  {
    task = 'single_label_classification',
    labels = ['bad', 'good'],
    method = 'lora',
    rank = 3,
    seed,
    data = { text: 'text', label: 'label' },
    targets = ['query', 'key', 'dense'],
    deviation = 0.3,
    modules,
    base_digest,
  }: MadeAdapter,
): void {
  const model = openIn(base, taskNamed(task).build(labels, data));
  const common = {
    lora_alpha: 2 * rank,
    target_modules: targets,
    ...(modules && { modules_to_save: modules }),
  };
  const { lora, adalora, svd_lora, prune_lora, bitfit, houlsby, pfeiffer } = METHODS;
  const budget = { init_r: rank + 1, target_r: rank, ...common };
  const runs = {
    lora: () => lora.start(model, lora.config.parse({ r: rank, ...common }), STEPS),
    adalora: () => adalora.start(model, adalora.config.parse(budget), STEPS),
    svd_lora: () => svd_lora.start(model, svd_lora.config.parse({ r: rank, ...common }), STEPS),
    prune_lora: () => prune_lora.start(model, prune_lora.config.parse(budget), STEPS),
    bitfit: () => bitfit.start(model, {}, STEPS),
    houlsby: () => houlsby.start(model, houlsby.config.parse({ bottleneck: rank }), STEPS),
    pfeiffer: () => pfeiffer.start(model, pfeiffer.config.parse({ bottleneck: rank }), STEPS),
  };
  const run = runs[method]();
  // Draws the tensors that are random but not trained.
  run.tuner.initialValues(seed, (_, shape) => new Float32Array(shape.reduce((all, one) => all * one, 1)));
  const values = new Random(seed, 'adapter').normals(run.tuner.layout.length, deviation);
  writeAdapter(folder, run.store!(values, base, labels));
  if (model.layer) {
    const { columns, outputs } = model.layer;
    const random = new Random(seed, 'layer');
    const weight = random.normals(outputs * featureWidth(model.config.numLabels, columns), deviation);
    const layer = encodeLayer({ weight, bias: random.normals(outputs, deviation) });
    writeFileSync(join(folder, LAYER_FILE), Buffer.concat(layer));
  }
  const reading = taskNamed(task).data.parse({ train: 'x', ...data }) as unknown as BaseData;
  writeFileSync(join(folder, NOTES_FILE), formatNotes({ task, data: reading, base_digest }, labels, 32));
  model.close();
}
