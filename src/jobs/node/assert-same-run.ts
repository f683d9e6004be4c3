import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { assertAgreed } from '../../parallel/assert-agreed.ts';
import type { Communicator } from '../../parallel/communicator.ts';
import { courseOf } from '../../run/config/course-of.ts';
import { digestOf, fingerprintOf } from '../../run/node/same-run.ts';
import { PROGRAM } from '../../support/program.ts';
import type { RunOfFiles } from './read-run.ts';

/** Digits of a digest that a message shows, and that tell files apart. */
const SHOWN = 12;

/**
 * The run's fingerprint, once all processes are known to be about to do the same.
 *
 * @throws UserError where two hosts have another version, config, data or model: it names what differs, and both
 */
export function assertSameRun(communicator: Communicator, { config, labels, files }: RunOfFiles): string {
  const fingerprint = fingerprintOf(config, labels, files());
  if (communicator.size === 1) return fingerprint;
  const digests = files().map((file): [string, string] => [
    `the file ${basename(typeof file === 'string' ? file : file.name)}`,
    digestOf(file).slice(0, SHOWN),
  ]);
  const path = new URL('../../../package.json', import.meta.url);
  const { version } = JSON.parse(readFileSync(path, 'utf8'));
  assertAgreed(communicator, {
    [PROGRAM]: version,
    ...Object.fromEntries(courseOf(config)),
    ...Object.fromEntries(digests),
    fingerprint: fingerprint.slice(0, SHOWN),
  });
  return fingerprint;
}
