import { existsSync } from 'node:fs';
import { UserError } from '../support/user-error.ts';

/** The config that commands take where none is named, as `adalora init` writes it. */
export const CONFIG_NAME = 'adalora.yaml';

/** The path of the config: the one given, or that of the default name in the current folder. */
export function configPath(given: string | undefined): string {
  if (given !== undefined) return given;
  if (existsSync(CONFIG_NAME)) return CONFIG_NAME;
  throw new UserError({
    where: CONFIG_NAME,
    expected: 'a config file in this folder, or the path of another',
    got: 'neither',
    hint: 'adalora init writes one.',
  });
}
