import { join } from 'node:path';
import { writeAdapter } from '../../formats/adapters/node/adapter-folder.ts';
import { atomicWrite } from '../../formats/node/atomic-write.ts';
import { weightFiles } from '../../formats/node/checkpoint.ts';
import { makeFolder } from '../../formats/node/make-folder.ts';
import type { LoadedModel } from '../../program/model-weights.ts';
import type { FinishEvent } from '../../run/events.ts';
import { runFiles } from '../../run/node/run-folder.ts';
import { writeFullModel } from '../../trained/node/write-model.ts';
import { NOTES_FILE } from '../../trained/notes.ts';
import { sentenceFiles } from '../../trained/sentence-files.ts';
import type { MethodRun } from '../../tuners/method-run.ts';
import { runResults } from '../run-results.ts';
import type { RunOfFiles } from './read-run.ts';

/**
 * Writes the adapter or model of a finished run, and its model card.
 *
 * @param digest returns the digest that a weight file had at the start of the run
 */
export function writeTrained(
  run: RunOfFiles,
  { model, method }: { model: LoadedModel; method: MethodRun },
  values: Float32Array,
  finish: FinishEvent,
  digest: (file: string) => string,
): void {
  const files = runFiles(run.config.output);
  const weights = run.config.model_init === 'random' ? [] : weightFiles(run.folder);
  const { adapter, notes, card } = runResults(run, method, values, finish, weights.map(digest));
  const folder = adapter ? files.adapter : files.model;
  makeFolder(folder);
  atomicWrite(join(folder, NOTES_FILE), notes);
  if (adapter) writeAdapter(folder, adapter);
  else {
    const { layout } = method.tuner;
    const { task, model_config } = run.config;
    writeFullModel(folder, run.folder, model, layout, values, { task, model_config, labels: run.labels });
  }
  for (const [name, text] of sentenceFiles(model, run.maxLength)) atomicWrite(join(folder, name), text);
  atomicWrite(files.card, card);
}
