import { statSync } from 'node:fs';
import type { TextFile } from '../../data/text-file.ts';
import { UserError } from '../../support/user-error.ts';
import { heldOutShare } from '../../tasks/data-files.ts';
import { fingerprintSettings } from '../config/fingerprint-settings.ts';
import type { RunConfig } from '../config/run-config.ts';

/** Size of the largest file that earlier versions hashed as a whole. They hashed only parts of larger files. */
const WHOLE_BYTES = 2 ** 27;

/**
 * Returns the fingerprint's keys for a run that another version started. They are the keys of the run's config.yaml,
 * which has all keys of that version.
 *
 * @param written the run's config.yaml
 * @param before the same config, with defaults for keys added since
 * @returns undefined if the config sets an added key to another value than its default
 */
export function keysOf(
  written: RunConfig,
  before: RunConfig,
  config: RunConfig,
): ReadonlySet<string> | undefined {
  const [known, defaults, now] = [written, before, config].map(fingerprintSettings);
  const added = [...now!.keys()].filter((key) => !known!.has(key));
  return added.every((key) => now!.get(key) === defaults!.get(key)) ? new Set(known!.keys()) : undefined;
}

/** The error for a run of an earlier version that held out other rows than this version. */
export function otherRows({ defaults, data, output }: RunConfig): UserError | undefined {
  if (defaults !== undefined || heldOutShare(data.validation) === undefined) return undefined;
  return byEarlierVersion(output, `held out other rows for data.validation: ${data.validation}`);
}

/** The error for a run of an earlier version with digests of large files that this version cannot compare. */
export function otherDigests(
  { defaults, output }: RunConfig,
  files: readonly (string | TextFile)[],
): UserError | undefined {
  if (defaults !== undefined) return undefined;
  const large = files.find((file) => typeof file === 'string' && statSync(file).size > WHOLE_BYTES);
  if (large === undefined) return undefined;
  return byEarlierVersion(output, `identified files above 128 MB, such as ${large}, in another way`);
}

/** An error for versions without the key `defaults`. Every later config.yaml has it. */
function byEarlierVersion(output: string, what: string): UserError {
  return new UserError({
    where: `output: ${output}`,
    fault: `was started by an earlier version, which ${what}`,
    hint: 'Resume it with that version, or start again with another output.',
  });
}
