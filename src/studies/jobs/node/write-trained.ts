import { join } from 'node:path';
import { weightFiles } from '../../../input/formats/node/checkpoint.ts';
import { atomicWrite } from '../../../input/store/node/atomic-write.ts';
import { makeFolder } from '../../../input/store/node/make-folder.ts';
import type { FinishEvent } from '../../../training/run/events.ts';
import { runFiles } from '../../../training/run/node/run-folder.ts';
import { copySharedFiles } from '../../../use/trained/node/write-form.ts';
import type { RunResult } from '../contenders/conclude.ts';
import { runResults } from '../run-results.ts';
import type { RunOfFiles } from './read-run.ts';

/**
 * Writes the adapter or model of a finished run, and its model card.
 *
 * @param digest returns the digest that a weight file had at the start of the run
 */
export function writeTrained(
  run: RunOfFiles,
  result: RunResult,
  finish: FinishEvent,
  digest: (file: string) => string,
): void {
  const files = runFiles(run.config.output);
  const weights = run.config.model_init === 'random' ? [] : weightFiles(run.folder);
  const results = runResults(run, result, finish, weights.map(digest));
  const folder = files[results.trained];
  makeFolder(folder);
  if (results.trained === 'model') copySharedFiles(run.folder, folder);
  for (const [name, content] of results.files) atomicWrite(join(folder, name), content);
  atomicWrite(files.card, results.card);
}
