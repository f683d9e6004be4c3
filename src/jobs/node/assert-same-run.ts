import { basename } from 'node:path';
import { assertAgreed } from '../../parallel/assert-agreed.ts';
import type { Communicator } from '../../parallel/communicator.ts';
import { fingerprintSettings } from '../../run/config/fingerprint-settings.ts';
import { programVersion } from '../../support/node/program-version.ts';
import { PROGRAM } from '../../support/program.ts';
import type { RunOfFiles } from './read-run.ts';

/** Digits of a digest in messages, enough to distinguish files. */
const SHOWN = 12;

/**
 * Checks that all processes are about to do the same run.
 *
 * @param digests digests of the run's files, in order
 * @throws UserError if two hosts differ in version, config, data or model; it names the difference with both
 * values
 */
export function assertSameRun(
  communicator: Communicator,
  { config, files }: RunOfFiles,
  digests: readonly string[],
  fingerprint: string,
): void {
  if (communicator.size === 1) return;
  const byName = files().map((file, i): [string, string] => [
    `the file ${basename(typeof file === 'string' ? file : file.name)}`,
    digests[i]!.slice(0, SHOWN),
  ]);
  assertAgreed(communicator, {
    [PROGRAM]: programVersion(),
    ...Object.fromEntries(fingerprintSettings(config)),
    ...Object.fromEntries(byName),
    fingerprint: fingerprint.slice(0, SHOWN),
  });
}
