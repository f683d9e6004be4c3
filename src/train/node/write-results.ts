import { stringify } from 'yaml';
import { atomicWrite } from '../../formats/node/atomic-write.ts';
import { writeAdapter } from '../../formats/peft/node/adapter-folder.ts';
import { modelCard } from '../../report/model-card.ts';
import type { FinishEvent } from '../events.ts';
import type { Method } from '../method.ts';
import type { RunConfig } from '../run-config.ts';
import { writeAdapterNotes } from './adapter-notes.ts';
import { writeFullModel } from './full-model.ts';
import type { LoadedModel } from './load-model.ts';
import type { runFiles } from './run-folder.ts';

export interface Results {
  config: RunConfig;
  files: ReturnType<typeof runFiles>;
  /** The base model's folder. */
  folder: string;
  model: LoadedModel;
  method: Method;
  labels: readonly string[];
  values: Float32Array;
  finish: FinishEvent;
}

/** The config with every default filled in. */
export function writeConfig(path: string, config: RunConfig): void {
  atomicWrite(path, stringify(config));
}

/** What a finished run leaves: the adapter (or model), and its card. */
export function writeResults({
  config,
  files,
  folder,
  model,
  method,
  labels,
  values,
  finish,
}: Results): void {
  const adapter = method.exportAdapter?.(values, config.model);
  if (adapter) {
    writeAdapterNotes(files.adapter, config, labels);
    writeAdapter(files.adapter, adapter.config, adapter.tensors);
  } else {
    writeAdapterNotes(files.model, config, labels);
    writeFullModel(files.model, folder, model, method.run.tuner.layout, values, labels);
  }
  const card = modelCard({
    config,
    labels,
    steps: finish.step,
    trainableParameters: values.length,
    metrics: finish.metrics,
    ranks: finish.ranks,
  });
  atomicWrite(files.card, card);
}
