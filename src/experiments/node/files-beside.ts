import { join } from 'node:path';

/** What lies of one of several runs outside of its folder: its config, and why it has failed, for the tables of all shards. */
export function filesBeside(output: string, name: string) {
  const path = join(output, 'configs', name.replaceAll('/', '-'));
  return { config: `${path}.yaml`, failure: `${path}.failed.txt` };
}
