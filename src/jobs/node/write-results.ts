import { stringify } from 'yaml';
import { atomicWrite } from '../../formats/node/atomic-write.ts';
import { writeAdapter } from '../../formats/peft/node/adapter-folder.ts';
import { modelCard } from '../../report/model-card.ts';
import type { FinishEvent } from '../../run/events.ts';
import type { Method } from '../../tuners/method.ts';
import type { RunConfig } from '../../run/config/run-config.ts';
import { writeAdapterNotes } from '../../trained/node/adapter-notes.ts';
import { writeFullModel } from '../../trained/node/full-model.ts';
import type { LoadedModel } from '../../trained/node/load-model.ts';
import type { runFiles } from '../../run/node/run-folder.ts';

export interface Results {
  config: RunConfig;
  files: ReturnType<typeof runFiles>;
  /** The base model's folder. */
  folder: string;
  model: LoadedModel;
  method: Method;
  /** How files were read. */
  data: RunConfig['data'];
  labels: readonly string[];
  /** Tokens that an example may have. */
  maxLength: number;
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
  data,
  labels,
  maxLength,
  values,
  finish,
}: Results): void {
  const adapter = method.exportAdapter?.(values, config.model);
  if (adapter) {
    writeAdapterNotes(files.adapter, { task: config.task, data }, labels, maxLength);
    writeAdapter(files.adapter, adapter.config, adapter.tensors);
  } else {
    writeAdapterNotes(files.model, { task: config.task, data }, labels, maxLength);
    writeFullModel(files.model, folder, model, method.run.tuner.layout, values, {
      task: config.task,
      labels,
    });
  }
  const card = modelCard({
    config: { ...config, data: { ...config.data, max_length: maxLength } },
    labels,
    steps: finish.step,
    trainableParameters: values.length,
    metrics: finish.metrics,
    ranks: finish.ranks,
  });
  atomicWrite(files.card, card);
}
