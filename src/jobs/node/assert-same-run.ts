import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { contentDigest } from '../../formats/node/content-digest.ts';
import { assertAgreed } from '../../parallel/assert-agreed.ts';
import type { Communicator } from '../../parallel/communicator.ts';
import { courseSettings, fingerprintOf } from '../../run/node/same-run.ts';
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
  const digests = files().map((path): [string, string] => [
    `the file ${basename(path)}`,
    contentDigest(path).slice(0, SHOWN),
  ]);
  const path = new URL('../../../package.json', import.meta.url);
  const { version } = JSON.parse(readFileSync(path, 'utf8'));
  assertAgreed(communicator, {
    [PROGRAM]: version,
    ...Object.fromEntries(courseSettings(config)),
    ...Object.fromEntries(digests),
    fingerprint: fingerprint.slice(0, SHOWN),
  });
  return fingerprint;
}
