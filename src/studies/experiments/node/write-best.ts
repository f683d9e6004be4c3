import { join } from 'node:path';
import { stringify } from 'yaml';
import { atomicWrite } from '../../../input/store/node/atomic-write.ts';
import type { Best } from '../sweep/best-combinations.ts';
import type { Sweep } from '../sweep/sweep-of.ts';

/** Writes the config of a sweep's choice, for all training rows. Returns its path. */
export function writeBest({ row: { row }, name }: Best, { combinations, experiment }: Sweep): string {
  const { output } = experiment;
  const path = join(output, `${name}.yaml`);
  const config = { ...combinations.get(row)!.config, output: join(output, name) };
  atomicWrite(path, stringify(config, { aliasDuplicateObjects: false }));
  return path;
}
