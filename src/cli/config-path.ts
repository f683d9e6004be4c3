import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { UserError } from '../support/user-error.ts';

/** The config that commands take where none is named, as `adalora init` writes it. */
export const CONFIG_NAME = 'adalora.yaml';

/** The path of the config: the one given, or that of the default name in the current folder. */
export function configPath(given: string | undefined): string {
  if (given !== undefined) return existsSync(given) ? given : (packaged(given) ?? given);
  if (existsSync(CONFIG_NAME)) return CONFIG_NAME;
  throw new UserError({
    where: CONFIG_NAME,
    expected: 'a config file in this folder, or the path of another',
    got: 'neither',
    hint: 'adalora init writes one.',
  });
}

/** Two folders up from this file lies the package, from its source and from what is built of it alike. */
const PACKAGE = new URL('../../', import.meta.url);

/** A config among the package's examples, which README names as they lie in its repository. */
function packaged(given: string): string | undefined {
  const [name] = /^examples\/[\w-]+\.yaml$/.exec(given) ?? [];
  const path = name && fileURLToPath(new URL(name, PACKAGE));
  return path && existsSync(path) ? path : undefined;
}
