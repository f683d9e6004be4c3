import { existsSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { UserError } from '../../support/user-error.ts';

/** The package's root: three folders above this file, both in the source and in the build. */
const PACKAGE = new URL('../../../', import.meta.url);
const SCHEMA = fileURLToPath(new URL('dist/adalora.schema.json', PACKAGE));

/** The first line of a config. It refers editors to the schema, so that they complete keys and mark errors. */
export function schemaLine(folder: string): string {
  return `# yaml-language-server: $schema=${relative(folder, SCHEMA).replaceAll(sep, '/')}\n`;
}

/** The default config of commands, as `adalora init` writes it. */
export const CONFIG_NAME = 'adalora.yaml';

/** Configs that are programs, written with `defineConfig`. */
const MODULES = ['ts', 'mts', 'js', 'mjs'].map((ending) => `adalora.config.${ending}`);

/** The path of the config: the given one, or the default name in the current folder. */
export function configPath(path: string | undefined): string {
  if (path !== undefined) return configIn(path) ?? (existsSync(path) ? path : (packaged(path) ?? path));
  const existing = configIn('.');
  if (existing) return existing;
  throw new UserError({
    where: CONFIG_NAME,
    fault: 'does not exist in this folder',
    hint: 'Name a config, or write one with adalora init.',
    code: 'not_found',
  });
}

/** The config in a folder. Undefined for other paths. */
export function configIn(folder: string): string | undefined {
  return [CONFIG_NAME, ...MODULES].map((name) => join(folder, name)).find((path) => existsSync(path));
}

/** Finds one of the package's example configs or methods by its path in the repository, as the README writes it. */
export function packaged(relative: string): string | undefined {
  const [name] = /^examples\/([\w-]+\.yaml|methods\/[\w-]+\.mjs)$/.exec(relative) ?? [];
  const path = name && fileURLToPath(new URL(name, PACKAGE));
  return path && existsSync(path) ? path : undefined;
}
