import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { fetching, packInto, reachesRegistry, runAsUser } from './support/as-user.ts';
import { codeBlocks } from './support/code-blocks.ts';
import { newFolder } from './support/new-folder.ts';
import { writeTinyModel } from './support/tiny-model.ts';

const MAX_BYTES = 20e6;
const hasRegistry = reachesRegistry();
const isLinux = process.platform === 'linux' && process.arch === 'x64';
const npmVersion = () => Number.parseInt(runAsUser('.', 'npm', '--version').stdout, 10);

const folder = newFolder();
let archive: string;
beforeAll(() => {
  archive = packInto(folder);
});

it('packs what users need and nothing else, below 20 MB', () => {
  expect(statSync(archive).size).toBeLessThan(MAX_BYTES);
  const { stdout } = spawnSync('tar', ['tzf', archive], { encoding: 'utf8' });
  const names = stdout
    .trimEnd()
    .split('\n')
    .map((name) => name.replace(/^package\//, ''));
  expect([...new Set(names.map((name) => name.split('/')[0]))].sort()).toEqual([
    ...[
      'AGENTS.md',
      'CHANGELOG.md',
      'CITATION.cff',
      'CONTRIBUTING.md',
      'DEPENDENCIES.md',
      'LICENSE',
      'README.md',
      'SECURITY.md',
      'THIRD_PARTY_LICENCES.md',
      'dist',
      'docs',
      'examples',
    ],
    ...(existsSync('models/mini') ? ['models'] : []),
    ...['package.json', 'recipes', 'scripts'],
  ]);
  expect(names.filter((name) => /\.test\.|\/testing\/|fixtures|demo/.test(name))).toEqual([]);
  // Links in README.
  const links = Array.from(
    readFileSync('README.md', 'utf8').matchAll(/\]\((?!\w+:|#)([^)#]+)/g),
    ([, path]) => path!,
  );
  const isPacked = (path: string) => names.some((name) => name === path || name.startsWith(`${path}/`));
  expect(links.filter((path) => !isPacked(path))).toEqual([]);
  const { bin, dependencies, optionalDependencies } = JSON.parse(readFileSync('package.json', 'utf8'));
  // npx would not find the command of a checkout that was there before.
  expect(bin).toEqual({ adalora: 'dist/cli/main.js' });
  expect(
    Object.keys({ ...dependencies, ...optionalDependencies }).filter((name) => /stdlib/.test(name)),
  ).toEqual([]);
});

describe.skipIf(!hasRegistry)('installed in an empty folder (skipped where npm reaches no registry)', () => {
  let home: string;
  // Messages of npm about a user's own settings are not adalora's.
  const adalora = (...words: string[]) =>
    runAsUser(home, 'npx', '--no-install', '--loglevel=error', 'adalora', ...words);
  const engine = () => join(home, 'node_modules/onnxruntime-node');
  const libraries = () => join(engine(), 'bin/napi-v6/linux/x64');
  // The embedded model if it exists; otherwise a minimal one.
  const model: string[] = [];

  beforeAll(() => {
    home = join(folder, 'home');
    mkdirSync(home);
    const { status, stdout, stderr } = fetching(
      home,
      'install',
      '--prefer-offline',
      '--no-audit',
      '--no-fund',
      archive,
    );
    expect(status, `${stdout}${stderr}`).toBe(0);
    if (existsSync('models/mini')) return;
    writeTinyModel(join(folder, 'tiny'));
    model.push('--set', `model=${join(folder, 'tiny')}`);
  }, 700_000);

  it('initializes, trains, predicts and reports', () => {
    expect(adalora('init')).toMatchObject({ status: 0, stderr: '' });
    const steps = ['--set', 'training.max_steps=4'];
    const trained = adalora('train', ...model, ...steps);
    expect({ status: trained.status, stderr: trained.stderr }).toEqual({ status: 0, stderr: '' });
    expect(trained.stdout).toContain('The run is in runs/first');
    const predicted = adalora('predict', 'runs/first', 'validation.tsv');
    expect(predicted.status, predicted.stderr).toBe(0);
    expect(predicted.stdout.trimEnd().split('\n')).toHaveLength(18);
    expect(adalora('report', 'runs/first')).toMatchObject({ status: 0, stderr: '' });
    expect(existsSync(join(home, 'runs/first/report.html'))).toBe(true);
  });

  it('refuses to initialize twice', () => {
    const { status, stderr } = adalora('init');
    expect(status).toBe(2);
    expect(stderr).toContain('adalora.yaml');
  });

  it.skipIf(!isLinux)('has downloaded no CUDA library, and would have failed to (on x64 Linux)', () => {
    expect(readdirSync(libraries()).filter((name) => name.includes('providers'))).toEqual([]);
    // npm from 12 on runs no install scripts, neither ours nor the engine's.
    if (npmVersion() < 12) expect(runAsUser(engine(), process.execPath, 'script/install').status).toBe(0);
    const variable = 'ONNXRUNTIME_NODE_INSTALL=cuda12';
    const asked = runAsUser(engine(), 'env', variable, process.execPath, 'script/install');
    expect(asked.status).not.toBe(0);
    expect(asked.stderr).toMatch(/ECONNREFUSED|ENOTFOUND/);
  });

  it('computes with WebAssembly and says what to do if a package manager skipped the engine', () => {
    renameSync(engine(), join(folder, 'engine'));
    const steps = ['--set', 'training.max_steps=2', '--set', 'output=runs/wasm'];
    const { status, stderr } = adalora('train', ...model, ...steps);
    renameSync(join(folder, 'engine'), engine());
    expect({ status, stderr }).toEqual({
      status: 0,
      stderr: expect.stringMatching(
        /Run: npm install onnxruntime-node@1 --ignore-scripts.* So the device is wasm\.$/m,
      ),
    });
  });

  it.skipIf(!isLinux)(
    'takes less than 122 MB after what docs/containers.md deletes, and still trains',
    () => {
      const [line] = /cd node_modules && rm -r .*/.exec(readFileSync('docs/containers.md', 'utf8'))!;
      expect(runAsUser(home, 'bash', '-c', line)).toMatchObject({ status: 0, stderr: '' });
      const { stdout } = runAsUser(home, 'du', '-sk', 'node_modules');
      expect(Number.parseInt(stdout, 10)).toBeLessThan(122_000);
      const steps = ['--set', 'training.max_steps=2', '--set', 'output=runs/small'];
      expect(adalora('train', ...model, ...steps)).toMatchObject({ status: 0, stderr: '' });
      const wasm = ['--set', 'output=runs/none', '--set', 'device=wasm'];
      expect(adalora('train', ...model, ...wasm)).toMatchObject({
        status: 2,
        stderr: expect.stringMatching(/^onnxruntime-web is not installed/),
      });
    },
  );

  it("answers events with the handler of docs/containers.md, without the run's checkpoints", () => {
    const { text } = codeBlocks('docs/containers.md').find(({ text }) => text.startsWith('// handler.mjs'))!;
    writeFileSync(join(home, 'handler.mjs'), text);
    cpSync(join(home, 'runs/first'), join(home, 'run'), { recursive: true });
    rmSync(join(home, 'run/checkpoints'), { recursive: true });
    const program = `import { handler } from './handler.mjs';
      for (const texts of [['good'], ['bad', 'good']])
        console.log(JSON.stringify(await handler({ body: JSON.stringify({ texts }) })));`;
    // As in a function, no cache can be written.
    const cache = join(home, 'package.json/cache');
    const words = ['--input-type=module', '-e', program];
    const { stdout, stderr } = runAsUser(home, 'env', `ADALORA_CACHE=${cache}`, process.execPath, ...words);
    expect(stderr).toBe('');
    const answers = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    const answer = { label: expect.any(String), probabilities: expect.any(Object) };
    expect(answers).toEqual([[answer], [answer, answer]]);
    expect(answers[1][1].label).toBe(answers[0][0].label);
  });
});

describe.skipIf(!hasRegistry)('a checkout (skipped where npm reaches no registry)', () => {
  it('installs without the CUDA libraries and without a warning about its settings', () => {
    const checkout = join(folder, 'checkout');
    mkdirSync(checkout);
    for (const name of ['.npmrc', 'package-lock.json']) cpSync(name, join(checkout, name));
    // Its own scripts would build it.
    const { scripts: _, ...manifest } = JSON.parse(readFileSync('package.json', 'utf8'));
    writeFileSync(join(checkout, 'package.json'), JSON.stringify(manifest));
    const { status, stdout, stderr } = fetching(checkout, 'ci', '--prefer-offline', '--omit=dev');
    expect(status, `${stdout}${stderr}`).toBe(0);
    expect(`${stdout}${stderr}`).not.toMatch(/project config|install-scripts/);
    // As an optional dependency, it would be missing if its script had failed.
    const { platform, arch } = process;
    const binaries = join(checkout, 'node_modules/onnxruntime-node/bin/napi-v6', platform, arch);
    expect(readdirSync(binaries)).toContain('onnxruntime_binding.node');
    expect(readdirSync(binaries).filter((name) => name.includes('providers'))).toEqual([]);
  }, 700_000);
});
