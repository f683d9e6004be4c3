import { relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Two folders up from this file lies the package, from its source and from what is built of it alike. */
const SCHEMA = fileURLToPath(new URL('../../dist/adalora.schema.json', import.meta.url));

/** The first line of a config in a folder: editors find the schema by it, complete keys and mark mistakes. */
export function schemaLine(folder: string): string {
  return `# yaml-language-server: $schema=${relative(folder, SCHEMA).replaceAll(sep, '/')}\n`;
}
