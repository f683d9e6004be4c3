import { join } from 'node:path';

/** Files of a run outside its folder: its config, and its failure message. The tables of all shards need them. */
export function filesBeside(output: string, name: string) {
  const path = join(output, 'configs', name.replaceAll('/', '-'));
  return { config: `${path}.yaml`, failure: `${path}.failed.txt` };
}
