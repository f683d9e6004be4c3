import { readFileSync } from 'node:fs';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';

const { exports } = JSON.parse(readFileSync('package.json', 'utf8')) as {
  exports: Record<string, string | { default: string }>;
};
/** The source of every entry point of the package. */
const ENTRIES = Object.values(exports).flatMap((entry) =>
  typeof entry === 'string' ? [] : [entry.default.replace('./dist/', 'src/').replace(/\.js$/, '.ts')],
);

describe('the entry points', () => {
  const program = ts.createProgram(ENTRIES, {
    target: ts.ScriptTarget.ES2023,
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    lib: ['lib.es2023.full.d.ts', 'lib.dom.d.ts'],
    types: [],
    allowImportingTsExtensions: true,
    noEmit: true,
    skipLibCheck: true,
  });
  const checker = program.getTypeChecker();
  const globals = new Set(
    checker
      .getSymbolsInScope(program.getSourceFile(ENTRIES[0]!)!, ts.SymbolFlags.Type)
      .flatMap((symbol) =>
        symbol.declarations?.some((place) => /\/lib\.[\w.]+\.d\.ts$/.test(place.getSourceFile().fileName))
          ? [symbol.name]
          : [],
      ),
  );

  it('detect global types', () => {
    expect(globals).toContain('Generator');
    expect(globals).toContain('Node');
  });

  it.each(ENTRIES)('%s exports no type with the name of a global one', (path) => {
    const module = checker.getSymbolAtLocation(program.getSourceFile(path)!);
    const names = checker.getExportsOfModule(module!).flatMap((symbol) => {
      const { flags } = symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
      return flags & ts.SymbolFlags.Type ? [symbol.name] : [];
    });
    expect(names.filter((name) => globals.has(name))).toEqual([]);
  });

  /** A type that an entry point exports. */
  const typeIn = (path: string, name: string) => {
    const module = checker.getSymbolAtLocation(program.getSourceFile(path)!)!;
    const symbol = checker.getExportsOfModule(module).find((each) => each.name === name)!;
    return checker.getDeclaredTypeOfSymbol(checker.getAliasedSymbol(symbol));
  };

  it.each([
    [
      'TrainOptions',
      [],
      [
        'model',
        'modelUrl',
        'engineUrl',
        'threads',
        'files',
        'adapter',
        'onCheckpoint',
        'checkpointSeconds',
        'onProbe',
      ],
    ],
    ['OpenOptions', ['baseDtype', 'task'], ['modelUrl', 'engineUrl', 'threads', 'name']],
  ])('for Node and for pages declare each of the %s once', (name, onlyInNode, onlyInPage) => {
    const [node, page] = ['src/index.ts', 'src/faces/web/index.ts'].map(
      (path) =>
        new Map(
          typeIn(path, name)
            .getProperties()
            .map((each) => [each.name, each.declarations]),
        ),
    ) as [Map<string, unknown>, Map<string, unknown>];
    const missingIn = (others: Map<string, unknown>) => (key: string) => !others.has(key);
    expect([...node.keys()].filter(missingIn(page)).sort()).toEqual([...onlyInNode].sort());
    expect([...page.keys()].filter(missingIn(node)).sort()).toEqual([...onlyInPage].sort());
    const shared = [...node].filter(([key]) => page.has(key));
    expect(shared.length).toBeGreaterThan(3);
    for (const [key, declarations] of shared) expect(declarations === page.get(key), key).toBe(true);
  });

  it('for pages accepts every config of Node', () => {
    const [config, pageConfig] = [
      typeIn('src/index.ts', 'RunConfigInput'),
      typeIn('src/faces/web/index.ts', 'PageConfig'),
    ];
    expect(checker.isTypeAssignableTo(config, pageConfig)).toBe(true);
    // A page needs no `output`.
    expect(checker.isTypeAssignableTo(pageConfig, config)).toBe(false);
  });
});
