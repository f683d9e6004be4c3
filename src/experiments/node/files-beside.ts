import { join } from 'node:path';

/** The files of a run outside its folder: its config, and its failure message, for the tables of all shards. */
export function filesBeside(output: string, name: string) {
  const path = join(output, 'configs', name.replaceAll('/', '-'));
  return { config: `${path}.yaml`, failure: `${path}.failed.txt` };
}
