import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { build } from 'esbuild';
import { beforeAll, expect, it } from 'vitest';
import { newWorkspace } from './support/commands.ts';

const workspace = newWorkspace();
beforeAll(() => {
  mkdirSync(workspace.path('node_modules'));
  symlinkSync(resolve('.'), workspace.path('node_modules', 'adalora'));
});

const TRAIN = `({
  model: 'model', method: 'lora', output: OUTPUT, training: { max_steps: 2 },
  data: { train: 'train.tsv', text: 'sentence', label: 'label', max_length: 32 },
}).then(({ step }) => console.log(step));`;

// As README says: the package stays outside of the bundle, because it starts a worker from its own file.
it.each([
  ['esm', 'mjs', `import { train } from 'adalora';\ntrain${TRAIN}`],
  ['cjs', 'cjs', `import('adalora').then(({ train }) => train${TRAIN.replace(/;$/, '')});`],
] as const)('a program that esbuild bundled for Node (%s) trains', async (format, extension, source) => {
  const outfile = workspace.path(`bundle.${extension}`);
  await build({
    stdin: { contents: source.replace('OUTPUT', JSON.stringify(format)), resolveDir: workspace.folder },
    bundle: true,
    platform: 'node',
    packages: 'external',
    format,
    outfile,
  });
  const { status, stdout, stderr } = spawnSync(process.execPath, [outfile], {
    cwd: workspace.folder,
    encoding: 'utf8',
  });
  expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: '2\n', stderr: '' });
});

it('a bundled server predicts in a thread, and ends by itself without closing its model', async () => {
  const trained = await workspace.train('method=lora', 'training.max_steps=2');
  expect(trained).toMatchObject({ code: 0, stderr: '' });
  const contents = `import { open } from 'adalora';
    const model = await open('run');
    const answers = await Promise.all(['a cat .', 'a dog .'].map((text) => model.predict([{ text }]).next()));
    console.log(answers.map(({ value }) => Object.keys(value.probabilities).join()).join(' '));`;
  const outfile = workspace.path('server.mjs');
  await build({
    stdin: { contents, resolveDir: workspace.folder },
    bundle: true,
    platform: 'node',
    packages: 'external',
    format: 'esm',
    outfile,
  });
  const { status, stdout, stderr } = spawnSync(process.execPath, [outfile], {
    cwd: workspace.folder,
    encoding: 'utf8',
  });
  expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: 'bad,good bad,good\n', stderr: '' });
});

it('all files that the build names by their place exist', () => {
  const named = readdirSync('dist', { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.js') && !name.startsWith('page'))
    .flatMap((name) =>
      Array.from(
        readFileSync(join('dist', name), 'utf8').matchAll(/new URL\("([^"]+)", import\.meta\.url\)/g),
        ([, path]) => join('dist', dirname(name), path!),
      ),
    );
  expect(named).toContain('dist/studies/jobs/node/worker.js');
  // models/mini is not in every checkout.
  expect(named.filter((path) => !path.startsWith('models/') && !existsSync(path))).toEqual([]);
});

it("the build's entry for pages reaches no module of Node", async () => {
  const { metafile } = await build({
    entryPoints: ['dist/faces/web/index.js'],
    bundle: true,
    platform: 'browser',
    format: 'esm',
    packages: 'external',
    external: ['#*'],
    write: false,
    metafile: true,
    logLevel: 'silent',
  });
  const { imports } = Object.values(metafile.outputs)[0]!;
  const external = imports.filter((each) => each.external).map(({ path }) => path);
  expect(external).toContain('protobufjs/minimal.js');
  expect(external.filter((path) => path.startsWith('node:'))).toEqual([]);
});
