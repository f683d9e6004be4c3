import { readFileSync, writeFileSync } from 'node:fs';
import ts from 'typescript';
import { configSchema } from './config-schema.ts';
import { ConfigTypes, type Part } from './config-types.ts';

/*
 * A part of `npm run build` that writes the files for editors into dist/. Declarations of zod schemas have no
 * comments, so the types of a config's sections are written out. adalora.schema.json contains the same for
 * YAML.
 */

/** Parts whose comments are missing from the compiler's declarations. */
const WRITTEN: readonly Part[] = ['CommonInput', 'TrainingInput', 'DataInputOf', 'SectionInputs'];

const types = new ConfigTypes();
for (const part of WRITTEN) {
  const path = ConfigTypes.fileOf(part).replace('src/', 'dist/').replace('.ts', '.d.ts');
  writeFileSync(path, withAlias(readFileSync(path, 'utf8'), part, types.declaration(part)));
}
writeFileSync('dist/adalora.schema.json', `${JSON.stringify(configSchema(types), null, 1)}\n`);

/** Replaces the type of an alias in declarations. */
function withAlias(text: string, name: string, type: string): string {
  const file = ts.createSourceFile('types.d.ts', text, ts.ScriptTarget.ES2022, true);
  const alias = file.statements.find(
    (statement) => ts.isTypeAliasDeclaration(statement) && statement.name.text === name,
  );
  if (!alias) throw new Error(`the compiler has written no alias ${name}`);
  const { type: before } = alias as ts.TypeAliasDeclaration;
  return text.slice(0, before.getStart(file)) + type + text.slice(before.end);
}
