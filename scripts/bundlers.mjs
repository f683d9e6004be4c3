import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';

/*
 * `node scripts/bundlers.mjs [next|vite|bun|deno...]`: packs the built package, installs it beside each tool in an empty project,
 * and does what docs/servers.md tells its users. It downloads the tools, so it is run by hand; tests/bundle.test.ts has esbuild.
 */

const TOOLS = {
  next: { packages: ['next', 'react', 'react-dom'], run: next },
  vite: { packages: ['vite'], run: vite },
  bun: {
    packages: ['bun'],
    scripts: 'node node_modules/bun/install.js',
    run: () => program('node_modules/.bin/bun'),
  },
  deno: {
    packages: ['deno'],
    scripts: 'node node_modules/deno/install.cjs',
    run: () => program('node_modules/.bin/deno', 'run', '--allow-all', '--node-modules-dir=manual'),
  },
};
const asked = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(TOOLS);

const root = mkdtempSync(join(tmpdir(), 'bundlers-'));
let folder = root;
const options = () => ({ cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
const write = (name, text) => {
  mkdirSync(dirname(join(folder, name)), { recursive: true });
  writeFileSync(join(folder, name), text);
};

execFileSync('npm', ['pack', '--silent', '--ignore-scripts', '--pack-destination', root]);
const archive = join(root, readdirSync(root)[0]);

const TRAIN = `import { train } from 'adalora';
const data = Array.from({ length: 40 }, (_, i) => ({ text: i % 2 ? 'good' : 'bad', label: i % 2 ? 'good' : 'bad' }));
await train({ data: { train: data, text: 'text', label: 'label' }, training: { max_steps: 2 }, output: 'run' });
`;
const PREDICT = `import { open } from 'adalora';
await using model = await open('run');
for await (const { probabilities } of model.predict([{ text: 'a good cat' }])) console.log(Object.keys(probabilities).join());
`;

for (const name of asked) {
  const { packages, scripts, run } = TOOLS[name];
  folder = join(root, name);
  mkdirSync(folder);
  write('package.json', '{ "type": "module" }');
  execFileSync(
    'npm',
    ['install', '--ignore-scripts', '--no-audit', '--no-fund', archive, ...packages],
    options(),
  );
  if (scripts) execFileSync('sh', ['-c', scripts], options());
  try {
    console.log(`${name}: ${await run()}`);
  } catch (error) {
    console.log(`${name}: failed. ${error.stderr || error.message}`);
    process.exitCode = 1;
  }
}
rmSync(root, { recursive: true });

/** Trains, opens and predicts in a program that a tool runs. */
function program(...command) {
  write('main.ts', TRAIN + PREDICT);
  const { status, stdout, stderr } = spawnSync(command[0], [...command.slice(1), 'main.ts'], options());
  if (status !== 0) throw new Error(`${status} ${stdout}${stderr}`);
  return stdout.trim();
}

/** Builds a standalone server, moves it away from the project, and asks it. */
async function next() {
  write('next.config.mjs', "export default { output: 'standalone', serverExternalPackages: ['adalora'] };\n");
  write('app/layout.jsx', 'export default ({ children }) => <html><body>{children}</body></html>;\n');
  write('app/page.jsx', 'export default () => <p>adalora</p>;\n');
  write(
    'app/predict/route.js',
    `import { open } from 'adalora';
let model;
export async function GET() {
  model ??= open(process.env.RUN);
  for await (const { probabilities } of (await model).predict([{ text: 'a good cat' }])) return Response.json(probabilities);
}
export const dynamic = 'force-dynamic';
`,
  );
  write('train.mjs', TRAIN);
  execFileSync(process.execPath, ['train.mjs'], options());
  execFileSync('npx', ['next', 'build'], {
    ...options(),
    env: { ...process.env, NEXT_TELEMETRY_DISABLED: '1' },
  });
  const server = join(root, 'moved');
  cpSync(join(folder, '.next/standalone'), server, { recursive: true });
  const port = await freePort();
  const child = spawn(process.execPath, ['server.js'], {
    cwd: server,
    env: { ...process.env, PORT: `${port}`, RUN: join(folder, 'run') },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  try {
    return JSON.stringify(await answerOf(`http://localhost:${port}/predict`));
  } finally {
    child.kill();
  }
}

/** Builds a page, and looks whether the engine and the encoder are among its files. */
function vite() {
  write(
    'vite.config.js',
    "export default { optimizeDeps: { exclude: ['adalora', 'onnxruntime-web'] }, build: { target: 'es2022' } };\n",
  );
  write('index.html', '<script type="module" src="main.js"></script>\n');
  write('main.js', "import { open, train } from 'adalora/web';\nObject.assign(window, { open, train });\n");
  execFileSync('npx', ['vite', 'build'], options());
  const built = readdirSync(join(folder, 'dist/assets'));
  const needed = [/^config-.*\.json$/, /^model-.*\.safetensors$/, /^tokenizer-.*\.json$/, /\.wasm$/];
  const missing = needed.filter((name) => !built.some((file) => name.test(file)));
  if (missing.length > 0) throw new Error(`no file ${missing.join(', ')} in ${built.join(', ')}`);
  return built.join(' ');
}

async function answerOf(url) {
  for (let left = 60; ; left--) {
    try {
      const response = await fetch(url);
      if (response.ok) return await response.json();
      throw new Error(`${response.status}`);
    } catch (error) {
      if (left === 0) throw error;
      await setTimeout(1000);
    }
  }
}

function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}
