import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import ts from 'typescript';

const OPTIONS: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2022,
  module: ts.ModuleKind.NodeNext,
  moduleResolution: ts.ModuleResolutionKind.NodeNext,
  strict: true,
  types: ['node'],
  skipLibCheck: true,
};

/** Declarations do not change while tests run, so all programs share them. */
const declarations = new Map<string, ts.SourceFile | undefined>();
const compiler = ts.createCompilerHost(OPTIONS);
const { getSourceFile } = compiler;
compiler.getSourceFile = (name, ...rest) => {
  if (!name.endsWith('.d.ts')) return getSourceFile(name, ...rest);
  if (!declarations.has(name)) declarations.set(name, getSourceFile(name, ...rest));
  return declarations.get(name);
};

/**
 * Type-checks a program and runs it in a folder, as in a project that has installed the built package.
 *
 * @throws Error with the type errors, or with the failure of the program
 * @returns its output
 */
export function runTypeScript(folder: string, name: string, program: string): string {
  compileTypeScript(folder, name, program);
  const { status, stdout, stderr } = spawnSync(process.execPath, [`${name}.js`], {
    cwd: folder,
    encoding: 'utf8',
    env: { ...process.env, HF_HUB_OFFLINE: '1' },
    timeout: 300_000,
  });
  if (status !== 0 || stderr !== '') throw new Error(`exit code ${status}: ${stderr}`);
  return stdout;
}

/**
 * Type-checks and compiles a program in a folder.
 *
 * @throws Error with the type errors
 */
export function compileTypeScript(folder: string, name: string, program: string): void {
  installHere(folder);
  const path = join(folder, `${name}.ts`);
  writeFileSync(path, program);
  const compiled = ts.createProgram([path], OPTIONS, compiler);
  const problems = [...ts.getPreEmitDiagnostics(compiled), ...compiled.emit().diagnostics];
  if (problems.length > 0) {
    const host = { getCanonicalFileName: String, getCurrentDirectory: () => folder, getNewLine: () => '\n' };
    throw new Error(ts.formatDiagnostics(problems, host));
  }
}

function installHere(folder: string): void {
  const modules = join(folder, 'node_modules');
  if (existsSync(modules)) return;
  mkdirSync(modules);
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  symlinkSync(resolve('.'), join(modules, 'adalora'));
  symlinkSync(resolve('node_modules/@types'), join(modules, '@types'));
}
