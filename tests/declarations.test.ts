import { readFileSync } from 'node:fs';
import ts from 'typescript';
import { expect, it } from 'vitest';

const { exports } = JSON.parse(readFileSync('package.json', 'utf8')) as {
  exports: Record<string, string | { types: string }>;
};
const ENTRIES = Object.values(exports).flatMap((entry) => (typeof entry === 'string' ? [] : [entry.types]));
/** This entry has types of an optional peer, whose own declarations need Node's types. */
const OF_PEER = './dist/faces/servers/ai/index.d.ts';

// scripts/declarations.mjs does so with the packed package, and with TypeScript from 5.6 to 7.
it.each([
  ['all others', ENTRIES.filter((entry) => entry !== OF_PEER), false],
  ['with a peer', ENTRIES.filter((entry) => entry === OF_PEER), true],
])("the package's declarations compile with the strictest settings: %s", (_, entries, skipLibCheck) => {
  expect(entries).not.toEqual([]);
  const program = ts.createProgram(entries, {
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
  const problems = ts.getPreEmitDiagnostics(program);
  const host = { getCanonicalFileName: String, getCurrentDirectory: () => '.', getNewLine: () => '\n' };
  expect(ts.formatDiagnostics(problems, host)).toBe('');
});
