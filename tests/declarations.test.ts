import { readFileSync } from 'node:fs';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';

const { exports } = JSON.parse(readFileSync('package.json', 'utf8')) as {
  exports: Record<string, string | { types: string }>;
};
/** The declarations of every entry point of the package. */
const ENTRIES = Object.values(exports).flatMap((entry) => (typeof entry === 'string' ? [] : [entry.types]));
/** This entry has types of an optional peer, whose own declarations need Node's types. */
const OF_PEER = './dist/faces/servers/ai/index.d.ts';

/** Programs of entry points, with the strictest settings. */
const programOf = (entries: readonly string[], skipLibCheck: boolean) =>
  ts.createProgram(entries, {
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    lib: ['lib.es2023.d.ts', 'lib.dom.d.ts', 'lib.esnext.disposable.d.ts'],
    // Not even Node's types.
    types: [],
    strict: true,
    exactOptionalPropertyTypes: true,
    skipLibCheck,
    // TypeScript's own, which take longer than all the others.
    skipDefaultLibCheck: true,
    noEmit: true,
  });
const OTHERS = ENTRIES.filter((entry) => entry !== OF_PEER);
const program = programOf(OTHERS, false);
const withPeer = programOf([OF_PEER], true);

// scripts/declarations.mjs does so with the packed package, and with TypeScript from 5.6 to 7.
it.each([
  ['all others', program],
  ['with a peer', withPeer],
])("the package's declarations compile with the strictest settings: %s", (_, program) => {
  expect(program.getRootFileNames()).not.toEqual([]);
  const problems = ts.getPreEmitDiagnostics(program);
  const host = { getCanonicalFileName: String, getCurrentDirectory: () => '.', getNewLine: () => '\n' };
  expect(ts.formatDiagnostics(problems, host)).toBe('');
});

describe('the entry points', () => {
  const checker = program.getTypeChecker();
  const globals = new Set(
    checker
      .getSymbolsInScope(program.getSourceFile(OTHERS[0]!)!, ts.SymbolFlags.Type)
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
    const of = path === OF_PEER ? withPeer : program;
    const checker = of.getTypeChecker();
    const module = checker.getSymbolAtLocation(of.getSourceFile(path)!);
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
        'onFolds',
        'folds',
      ],
    ],
    ['OpenOptions', ['baseDtype', 'task'], ['modelUrl', 'engineUrl', 'threads', 'name']],
  ])('for Node and for pages declare each of the %s once', (name, onlyInNode, onlyInPage) => {
    const [node, page] = ['./dist/index.d.ts', './dist/faces/web/index.d.ts'].map(
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
      typeIn('./dist/index.d.ts', 'RunConfigInput'),
      typeIn('./dist/faces/web/index.d.ts', 'PageConfig'),
    ];
    expect(checker.isTypeAssignableTo(config, pageConfig)).toBe(true);
    // A page needs no `output`.
    expect(checker.isTypeAssignableTo(pageConfig, config)).toBe(false);
  });
});
