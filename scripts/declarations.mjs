import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/*
 * node scripts/declarations.mjs [VERSION...]
 *
 * Packs the built package, installs it in an empty project, and compiles a program that imports every entry
 * point. Repeats this with each TypeScript version, and with the module resolutions of Node and of bundlers.
 * It downloads the compilers, so run it by hand; tests/declarations.test.ts checks one version.
 */

const VERSIONS = process.argv.length > 2 ? process.argv.slice(2) : ['5.6', '5.9', '6', '7'];
const RESOLUTIONS = { NodeNext: 'NodeNext', ESNext: 'Bundler' };

const folder = mkdtempSync(join(tmpdir(), 'declarations-'));
const npm = (...words) =>
  execFileSync('npm', words, { cwd: folder, stdio: ['ignore', 'pipe', 'inherit'], encoding: 'utf8' });
const write = (name, value) =>
  writeFileSync(join(folder, name), typeof value === 'string' ? value : JSON.stringify(value));

const { exports } = JSON.parse(readFileSync('package.json', 'utf8'));
// `ai` has types of an optional peer, which is not installed here.
const entries = Object.keys(exports).filter((name) => exports[name].types && name !== './ai');
const archive = execFileSync('npm', ['pack', '--ignore-scripts', '--pack-destination', folder], {
  encoding: 'utf8',
}).trim();

write('package.json', { type: 'module' });
npm(
  'install',
  '--ignore-scripts',
  '--no-audit',
  '--no-fund',
  join(folder, archive.split('\n').at(-1)),
  ...VERSIONS.map((version) => `ts-${version}@npm:typescript@${version}`),
);
write(
  'main.ts',
  `${entries.map((name, i) => `export * as entry${i} from '${join('adalora', name)}';`).join('\n')}
import { type ClassAnswer, defineConfig, open, train } from 'adalora';
const config = defineConfig({ data: { train: 'a.tsv', text: 'a', label: 'b' }, output: 'x', training: { learning_rate: 1 } });
export const { metrics } = await train(config, { signal: undefined });
await using model = await open(config, { device: undefined });
for await (const { label, probabilities } of model.predict([{ text: 'x' }], { signal: undefined })) {
  const probability: number | undefined = probabilities[label];
  console.log(probability);
}
export const all: Promise<ClassAnswer[]> | undefined = undefined;
// @ts-expect-error a key that there is not
defineConfig({ data: { train: 'a.tsv', text: 'a', label: 'b' }, output: 'x', training: { learning_rat: 1 } });
`,
);
for (const [module, moduleResolution] of Object.entries(RESOLUTIONS))
  write(`tsconfig.${module}.json`, {
    compilerOptions: {
      ...{
        module,
        moduleResolution,
        target: 'ES2022',
        lib: ['ES2023', 'DOM', 'ESNext.Disposable'],
        types: [],
      },
      ...{ strict: true, exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true },
      ...{ verbatimModuleSyntax: true, skipLibCheck: false, noEmit: true },
    },
    files: ['main.ts'],
  });

for (const version of VERSIONS) {
  for (const module of Object.keys(RESOLUTIONS)) {
    const compiler = join(folder, 'node_modules', `ts-${version}`, 'bin/tsc');
    const { status, stdout } = spawnSync(process.execPath, [compiler, '-p', `tsconfig.${module}.json`], {
      cwd: folder,
      encoding: 'utf8',
    });
    console.log(`TypeScript ${version}, ${RESOLUTIONS[module]}: ${status === 0 ? 'good' : `\n${stdout}`}`);
    if (status !== 0) process.exitCode = 1;
  }
}
rmSync(folder, { recursive: true });
