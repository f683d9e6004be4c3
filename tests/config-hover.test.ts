import { readdirSync, readFileSync } from 'node:fs';
import { Ajv } from 'ajv';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';

/** The declarations of the package. */
const DECLARATIONS = 'dist/index.d.ts';

/** The keys of a user's config, with their hover texts. */
function hoverTexts(): Map<string, string> {
  const module = ts.ModuleKind.NodeNext;
  const options = { strict: true, module, moduleResolution: ts.ModuleResolutionKind.NodeNext, noEmit: true };
  const program = ts.createProgram([DECLARATIONS], options);
  const checker = program.getTypeChecker();
  const exported = checker.getExportsOfModule(
    checker.getSymbolAtLocation(program.getSourceFile(DECLARATIONS)!)!,
  );
  const define = checker.getAliasedSymbol(exported.find(({ name }) => name === 'defineConfig')!);
  const [signature] = checker.getTypeOfSymbol(define).getCallSignatures();
  const found = new Map<string, string>();
  const walk = (type: ts.Type, path: string) => {
    for (const part of type.isUnion() ? type.types : [type]) {
      if (!(part.flags & (ts.TypeFlags.Object | ts.TypeFlags.Intersection)) || checker.isArrayType(part))
        continue;
      // An async iterable of rows has no keys.
      if (checker.getPropertiesOfType(part).some(({ name }) => name.startsWith('__@asyncIterator'))) continue;
      // Rows have arbitrary keys.
      if (part.getCallSignatures().length > 0 || checker.getIndexInfosOfType(part).length > 0) continue;
      for (const property of checker.getPropertiesOfType(part)) {
        const key = path + property.name;
        const text = ts.displayPartsToString(property.getDocumentationComment(checker));
        found.set(key, found.get(key) || text);
        walk(checker.getTypeOfSymbol(property), `${key}.`);
      }
    }
  };
  walk(checker.getTypeOfSymbol(signature!.parameters[0]!), '');
  return found;
}

it('every key of defineConfig has a hover text', () => {
  const texts = hoverTexts();
  const keys = [
    'training.warmup_ratio',
    'adalora.target_r',
    'data.generation_config.num_beams',
    'data.train',
  ];
  for (const key of keys) expect(texts.get(key), key).toMatch(/\w/);
  expect([...texts].filter(([, text]) => text === '').map(([key]) => key)).toEqual([]);
});

interface Schema {
  description?: string;
  properties?: Record<string, Schema>;
  allOf?: { then: Schema }[];
}

describe('the JSON Schema of a config', () => {
  const schema: Schema = JSON.parse(readFileSync('dist/adalora.schema.json', 'utf8'));
  const validate = new Ajv({ allErrors: true, allowUnionTypes: true }).compile(schema);
  const problems = (config: unknown) => {
    validate(config);
    return validate.errors?.map(({ instancePath, message }) => `${instancePath} ${message}`) ?? [];
  };

  it('describes every key', () => {
    const without = (part: Schema, path: string): string[] =>
      Object.entries(part.properties ?? {}).flatMap(([name, key]) => [
        ...(key.description ? [] : [`${path}${name}`]),
        ...without(key, `${path}${name}.`),
      ]);
    expect(without(schema, '')).toEqual([]);
    expect(schema.allOf!.length).toBeGreaterThan(5);
    for (const { then } of schema.allOf!) expect(without(then.properties!.data!, 'data.')).toEqual([]);
  });

  const examples = readdirSync('examples').filter((name) => name.endsWith('.yaml'));
  it.each([...examples, 'starter/adalora.yaml'])('accepts examples/%s', (name) => {
    expect(problems(parse(readFileSync(`examples/${name}`, 'utf8')))).toEqual([]);
  });

  it('reports errors', () => {
    const data = { train: 'a.tsv', text: 'a', label: 'b' };
    expect(problems({ data, output: 'runs/a' })).toEqual([]);
    expect(
      problems({ data: { ...data, txet: 'a' }, output: 'a', training: { learning_rate: 'fast' } }),
    ).toEqual(
      expect.arrayContaining([
        '/training/learning_rate must be number',
        '/data must NOT have additional properties',
      ]),
    );
    expect(problems({ task: 'causal_lm', data, output: 'a' })).toContain(
      '/data must NOT have additional properties',
    );
  });
});
