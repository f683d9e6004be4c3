import { relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The package's root is two folders above this file, both in the source and in the build. */
const SCHEMA = fileURLToPath(new URL('../../../dist/adalora.schema.json', import.meta.url));

/** The first line of a config. It refers editors to the schema, so that they complete keys and mark errors. */
export function schemaLine(folder: string): string {
  return `# yaml-language-server: $schema=${relative(folder, SCHEMA).replaceAll(sep, '/')}\n`;
}
