import type { FileDigest } from '../../input/formats/files.ts';
import {
  type Communicator,
  gatherJson,
  markAgreed,
  processName,
} from '../../program/parallel/communicator.ts';
import { PROGRAM } from '../../support/program.ts';
import { lastPart } from '../../support/text.ts';
import { UserError } from '../../support/user-error.ts';
import { fingerprintSettings } from '../../training/run/config/fingerprint-settings.ts';
import type { RunConfig } from '../../training/run/config/run-config.ts';

/** The maximum number of differences in one message. */
const MAX_NAMED = 5;

/**
 * Checks that facts are equal in all processes before they start.
 *
 * @param facts by display name
 * @throws UserError that names the facts that differ, and the first process that differs from process 0
 */
export function assertAgreed(communicator: Communicator, facts: Readonly<Record<string, string>>): void {
  const [first, ...others] = gatherJson(communicator, facts);
  for (const [i, other] of others.entries()) {
    const names = [...new Set([...Object.keys(first!), ...Object.keys(other)])];
    const differing = names.filter((name) => first![name] !== other[name]);
    if (differing.length === 0) continue;
    const said = (facts: Readonly<Record<string, string>>) =>
      differing
        .slice(0, MAX_NAMED)
        .flatMap((name) => (facts[name] === undefined ? [] : [`${name} ${facts[name]}`]))
        .join(', ') || 'nothing';
    throw markAgreed(
      new UserError({
        where: processName(communicator, i + 1),
        fault: `has another config, data, model or version than ${processName(communicator, 0)}: ${said(other)} instead of ${said(first!)}`,
        hint: 'Give every host the same files and the same installation.',
      }),
    );
  }
}

/** Digits of a digest in messages, enough to distinguish files. */
const SHOWN = 12;

/**
 * Checks that all processes are about to do the same run.
 *
 * @param version the version of this program
 * @param files everything that determines the run's values
 * @throws UserError if two hosts differ in version, config, data or model; it names the difference with both
 * values
 */
export function assertSameRun(
  communicator: Communicator,
  version: string | undefined,
  config: RunConfig,
  files: readonly FileDigest[],
  fingerprint: string,
): void {
  if (communicator.size === 1) return;
  const byName = files.map(([name, digest]): [string, string] => [
    `the file ${lastPart(name)}`,
    digest.slice(0, SHOWN),
  ]);
  assertAgreed(communicator, {
    ...(version !== undefined && { [PROGRAM]: version }),
    ...Object.fromEntries(fingerprintSettings(config)),
    ...Object.fromEntries(byName),
    fingerprint: fingerprint.slice(0, SHOWN),
  });
}
