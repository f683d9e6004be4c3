import { digestOf } from '../../formats/node/content-digest.ts';
import { readRun } from '../../jobs/node/read-run.ts';
import { parseRunConfig } from '../../run/config/parse-run-config.ts';
import { asBegun } from '../../run/node/begun-config.ts';
import { lastFingerprint } from '../../run/node/checkpoint-file.ts';
import { assertOwnCheckpoint, differencesFrom, otherRun } from '../../run/node/own-checkpoint.ts';
import { runFiles } from '../../run/node/run-folder.ts';
import { isFinished, type NamedRun } from './train-all.ts';

/**
 * Checks that finished runs have the current settings, because they will not be trained again.
 *
 * @throws UserError for the first run with other settings, data or model; it names the difference
 */
export async function assertOwnRuns(runs: readonly NamedRun[]): Promise<void> {
  for (const finished of runs.filter(isFinished)) {
    const finishedConfig = parseRunConfig(finished.config, finished.name);
    const files = runFiles(finishedConfig.output);
    const run = await readRun(asBegun(finishedConfig, files));
    // If the run has no checkpoints, only its settings can be compared.
    const known = lastFingerprint(files.checkpoints);
    if (known !== undefined)
      assertOwnCheckpoint(known, { ...run, digests: run.files().map(digestOf) }, files);
    else if (differencesFrom(run.config, files).length > 0) throw otherRun(run.config, files);
  }
}
