import ts from 'typescript';
import { expect, it } from 'vitest';
import { METHOD_NAMES } from '../src/tuners/registry.ts';

const FILE = 'src/run/config/run-config.ts';

/** Keys of the config that people type, with what an editor says of them. */
function hoverTexts(): Map<string, string> {
  const { options } = ts.parseJsonConfigFileContent(
    ts.readConfigFile('tsconfig.json', ts.sys.readFile).config,
    ts.sys,
    '.',
  );
  const program = ts.createProgram([FILE], { ...options, incremental: false, noEmit: true });
  const checker = program.getTypeChecker();
  const module = checker.getSymbolAtLocation(program.getSourceFile(FILE)!)!;
  const input = checker.getExportsOfModule(module).find(({ name }) => name === 'RunConfigInput')!;
  const found = new Map<string, string>();
  const walk = (type: ts.Type, path: string) => {
    for (const part of type.isUnion() ? type.types : [type]) {
      if (!(part.flags & (ts.TypeFlags.Object | ts.TypeFlags.Intersection)) || checker.isArrayType(part))
        continue;
      for (const property of checker.getPropertiesOfType(part)) {
        const key = path + property.name;
        const text = ts.displayPartsToString(property.getDocumentationComment(checker));
        found.set(key, found.get(key) || text);
        walk(checker.getTypeOfSymbol(property), `${key}.`);
      }
    }
  };
  walk(checker.getDeclaredTypeOfSymbol(input), '');
  return found;
}

it('an editor says something of every key of a config', () => {
  const texts = hoverTexts();
  for (const key of ['training.warmup_ratio', 'adalora.target_r', 'data.generation_config.num_beams'])
    expect(texts.get(key)).toMatch(/\w/);
  // A method's section says what its settings are; the method's own words are with `method`.
  const without = [...texts].filter(
    ([key, text]) => text === '' && !METHOD_NAMES.some((name) => name === key),
  );
  expect(without.map(([key]) => key)).toEqual([]);
});
