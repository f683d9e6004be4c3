import { join } from 'node:path';

/**
 * Paths of a run's files outside its folder: its config and its failure message. The tables of all shards
 * need them.
 */
export function filesBeside(output: string, name: string) {
  const path = join(output, 'configs', name.replaceAll('/', '-'));
  return { config: `${path}.yaml`, failure: `${path}.failed.txt` };
}
