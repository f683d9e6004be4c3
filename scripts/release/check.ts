import { spawnSync } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { ALLOWED_LICENCES, licencePage } from '../licences.ts';

/*
 * npm run release:check [-- --only npm]
 *
 * Tries the package as its users get it. Packs it, installs the packed file with npm, pnpm and Bun into empty folders,
 * type-checks and runs a program there in projects of three kinds, and trains and predicts on the command line. Measures sizes,
 * and checks the licences of all installed packages and known vulnerabilities. Needs a package registry and a built dist/.
 */

const MAX_PACKED_BYTES = 20e6;
/** The size of an installation may differ from the documented one by this share, because dependencies get new versions. */
const SIZE_TOLERANCE = 0.05;

const INSTALL: Readonly<Record<string, readonly string[]>> = {
  npm: ['npm', 'install', '--no-audit', '--no-fund'],
  // pnpm 10 is the newest that runs with Node 20.
  pnpm: ['npx', '--yes', 'pnpm@10', 'add'],
  bun: ['npx', '--yes', 'bun@1', 'add'],
};

/** A program that trains and predicts. `open` and `train` are imported around it. */
const PROGRAM = `const rows = Array.from({ length: 40 }, (_, i) => (i % 2 ? { text: 'a cat', label: 'good' } : { text: 'a dog', label: 'bad' }));
await train({ data: { train: rows, text: 'text', label: 'label' }, training: { max_steps: 2 }, output: 'run' });
const model = await open('run');
for await (const { label } of model.predict([{ text: 'a cat' }])) console.log(label);
await model.close();
`;
const MODULE = `import { open, train } from 'adalora';\n${PROGRAM}`;

/** The kinds of TypeScript projects. */
const KINDS: Readonly<Record<string, { type: string; options: object; program: string }>> = {
  nodenext: { type: 'module', options: { module: 'NodeNext' }, program: MODULE },
  bundler: { type: 'module', options: { module: 'ESNext', moduleResolution: 'bundler' }, program: MODULE },
  commonjs: {
    type: 'commonjs',
    options: { module: 'NodeNext' },
    program: `void (async () => {\nconst { open, train } = await import('adalora');\n${PROGRAM}})();\n`,
  },
};

const { values } = parseArgs({ options: { only: { type: 'string' } } });
const folder = mkdtempSync(join(tmpdir(), 'release-'));
try {
  checkManifest();
  const archive = pack();
  for (const manager of Object.keys(INSTALL).filter((name) => (values.only ?? name) === name))
    tryWith(manager, archive);
  checkDocumented();
} finally {
  rmSync(folder, { recursive: true, force: true });
}
console.log('The package is ready.');

/** The manifest names what a registry shows, and the changelog has the version. */
function checkManifest(): void {
  const manifest = JSON.parse(readFileSync('package.json', 'utf8'));
  for (const key of ['name', 'version', 'description', 'license', 'keywords', 'engines', 'exports', 'files'])
    if (!manifest[key]) fail(`package.json has no ${key}`);
  const changelog = readFileSync('CHANGELOG.md', 'utf8');
  if (!changelog.includes(`## [${manifest.version}]`))
    fail(`CHANGELOG.md has no section [${manifest.version}]`);
}

function pack(): string {
  run('.', 'npm', 'pack', '--ignore-scripts', '--pack-destination', folder);
  const archive = join(folder, readdirSync(folder)[0]!);
  const { size } = statSync(archive);
  if (size > MAX_PACKED_BYTES)
    fail(`the packed file has ${megabytes(size)} MB, more than ${MAX_PACKED_BYTES / 1e6}`);
  console.log(`packed: ${megabytes(size)} MB`);
  return archive;
}

/** Installs the package with a package manager, and uses it. */
function tryWith(manager: string, archive: string): void {
  const home = join(folder, manager);
  mkdirSync(home);
  writeFileSync(join(home, 'package.json'), JSON.stringify({ name: 'user', private: true }));
  const [command, ...words] = INSTALL[manager]!;
  run(home, command!, ...words, archive);
  const bytes = Number.parseInt(run(home, 'du', '-sk', 'node_modules'), 10) * 1024;
  console.log(`${manager}: installed, ${megabytes(bytes)} MB`);

  const program = join(home, 'node_modules/.bin/adalora');
  run(home, program, 'init', 'shop');
  run(home, program, 'train', 'shop/train.tsv', '--set', 'training.max_steps=2');
  const predicted = run(home, program, 'predict', 'runs/train', 'shop/validation.tsv');
  if (predicted.trimEnd().split('\n').length !== 18) fail(`${manager}: predict printed\n${predicted}`);
  console.log(`${manager}: the command trains and predicts`);

  for (const [kind, project] of Object.entries(KINDS)) {
    writeProject(join(home, kind), project);
    run(home, process.execPath, resolve('node_modules/typescript/bin/tsc'), '-p', kind);
    const printed = run(join(home, kind), process.execPath, 'out/main.js');
    if (!/^(good|bad)\n$/.test(printed)) fail(`${manager}, ${kind}: the program printed\n${printed}`);
  }
  console.log(`${manager}: programs of the kinds ${Object.keys(KINDS).join(', ')} are checked and run`);
  if (manager === 'npm') checkInstalled(home, bytes);
}

function writeProject(place: string, { type, options, program }: (typeof KINDS)[string]): void {
  mkdirSync(place);
  writeFileSync(join(place, 'main.ts'), program);
  writeFileSync(join(place, 'package.json'), JSON.stringify({ type }));
  const compilerOptions = {
    target: 'ES2022',
    strict: true,
    skipLibCheck: true,
    types: ['node'],
    typeRoots: [resolve('node_modules/@types')],
    outDir: 'out',
    ...options,
  };
  writeFileSync(join(place, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['main.ts'] }));
}

/** The installed packages: their size, licences and known vulnerabilities. */
function checkInstalled(home: string, bytes: number): void {
  const { installation } = JSON.parse(readFileSync('docs/results/facts.json', 'utf8'));
  const documented = installation.megabytes * 1e6;
  if (Math.abs(bytes - documented) > SIZE_TOLERANCE * documented)
    fail(
      `an installation takes ${megabytes(bytes)} MB, and docs/results/facts.json has ${installation.megabytes}`,
    );
  const locked: Record<string, object> = JSON.parse(
    readFileSync(join(home, 'package-lock.json'), 'utf8'),
  ).packages;
  const packages = Object.keys(locked).filter((path) => path !== '');
  for (const path of packages) {
    const place = join(home, path, 'package.json');
    // Optional packages of other platforms are not installed.
    if (!statSync(place, { throwIfNoEntry: false })) continue;
    const { license } = JSON.parse(readFileSync(place, 'utf8'));
    if (!ALLOWED_LICENCES.test(license)) fail(`${path} has the licence ${license}`);
  }
  console.log(`npm: ${packages.length} packages with known licences`);
  cpSync('.ci/audit', join(home, '.ci/audit'));
  process.stdout.write(run(home, 'bash', '.ci/audit'));
}

/** The list of licences is that of the lock file. */
function checkDocumented(): void {
  if (readFileSync('THIRD_PARTY_LICENCES.md', 'utf8') !== licencePage())
    fail(
      'THIRD_PARTY_LICENCES.md is out of date. Run: npx tsx scripts/licences.ts > THIRD_PARTY_LICENCES.md',
    );
}

/** Runs a command as a user would, without this repository's npm variables. Returns its output. */
function run(cwd: string, command: string, ...words: readonly string[]): string {
  const env = Object.fromEntries(
    Object.entries(process.env).filter(
      ([name]) => !/^(npm_(?!config_(registry|cache|userconfig)$)|INIT_CWD)/i.test(name),
    ),
  );
  const { status, stdout, stderr } = spawnSync(command, words, { cwd, env, encoding: 'utf8', input: '' });
  if (status !== 0) fail(`${command} ${words.join(' ')} failed:\n${stdout}${stderr}`);
  return stdout;
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(0);
}

function fail(reason: string): never {
  throw new Error(reason);
}
