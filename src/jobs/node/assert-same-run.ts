import { basename } from 'node:path';
import { assertAgreed } from '../../parallel/assert-agreed.ts';
import type { Communicator } from '../../parallel/communicator.ts';
import { courseOf } from '../../run/config/course-of.ts';
import { programVersion } from '../../support/node/program-version.ts';
import { PROGRAM } from '../../support/program.ts';
import type { RunOfFiles } from './read-run.ts';

/** Digits of a digest that a message shows, and that tell files apart. */
const SHOWN = 12;

/**
 * Compares what processes are about to do.
 *
 * @param digests of the run's files, in their order
 * @throws UserError where two hosts have another version, config, data or model: it names what differs, and both
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
    digests[i].slice(0, SHOWN),
  ]);
  assertAgreed(communicator, {
    [PROGRAM]: programVersion(),
    ...Object.fromEntries(courseOf(config)),
    ...Object.fromEntries(byName),
    fingerprint: fingerprint.slice(0, SHOWN),
  });
}
