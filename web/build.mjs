import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';

/*
 * npm run web:build builds the training page in dist/page, as files for any static host. The files of the engine and
 * the model are not copied. `adalora web` serves them, or writes them to the page's folder (--output).
 */

const OUTPUT = 'dist/page';
const SOURCE = 'web';
/**
 * Allows only this page's own files, so that user data cannot be sent anywhere. It also allows WebAssembly to be
 * compiled, and a worker to start from a blob.
 */
const policy = (connections) =>
  [
    "default-src 'none'",
    "script-src 'self' 'wasm-unsafe-eval'",
    "style-src 'self'",
    "img-src 'self' data: blob:",
    `connect-src ${connections}`,
    "worker-src 'self' blob:",
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
const POLICY = policy("'self'");
/** That of the tab that downloads models: the Hub, and where it redirects for large files. */
const DOWNLOAD = ['download.html', policy('https://huggingface.co https://*.huggingface.co https://*.hf.co')];

/**
 * The headers that isolate the page, as threads need it. Its files have the policy, too: the page itself contains it, and
 * from a server it applies to every file.
 */
const HEADERS = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
};

rmSync(OUTPUT, { recursive: true, force: true });
mkdirSync(OUTPUT, { recursive: true });
await build({
  entryPoints: {
    main: join(SOURCE, 'page/main.ts'),
    download: join(SOURCE, 'page/download.ts'),
    worker: join(SOURCE, 'worker/worker.ts'),
    parquet: join(SOURCE, 'data/parquet-worker.ts'),
    tap: join(SOURCE, 'page/tap-worklet.ts'),
    'service-worker': join(SOURCE, 'worker/service-worker.ts'),
  },
  outdir: OUTPUT,
  bundle: true,
  splitting: true,
  format: 'esm',
  minify: true,
  // The report's scripts are functions of this program. Their text must not contain the compiler's helpers.
  keepNames: false,
  target: ['es2022'],
  platform: 'browser',
  logLevel: 'warning',
});

const text = (name) => readFileSync(join(SOURCE, name), 'utf8');
writeFileSync(join(OUTPUT, 'index.html'), text('index.html').replace('{policy}', POLICY));
writeFileSync(join(OUTPUT, DOWNLOAD[0]), text(DOWNLOAD[0]).replace('{policy}', DOWNLOAD[1]));
writeFileSync(join(OUTPUT, 'page.css'), (await reportStyle()) + text('page.css'));
cpSync(join(SOURCE, 'icon.svg'), join(OUTPUT, 'icon.svg'));
cpSync('examples/starter/train.tsv', join(OUTPUT, 'example.tsv'));
// A host sends the policies of all rules for an address, and a browser applies all. So no rule for all files has one.
const others = ['', 'engine/*', 'models/*', ...readdirSync(OUTPUT).filter((name) => name !== DOWNLOAD[0])];
const lines = (headers) => Object.entries(headers).map(([name, value]) => `  ${name}: ${value}\n`);
const rules = [
  ['*', HEADERS],
  ...[...others.map((address) => [address, POLICY]), DOWNLOAD].map(([address, value]) => [
    address,
    { 'Content-Security-Policy': `${value}; frame-ancestors 'none'` },
  ]),
];
writeFileSync(
  join(OUTPUT, '_headers'),
  rules.map(([address, headers]) => `/${address}\n${lines(headers).join('')}`).join(''),
);

/** The style of the report and the live page, because this page shows the same figures. */
async function reportStyle() {
  const { outputFiles } = await build({
    entryPoints: ['src/studies/report/page/style.ts'],
    bundle: true,
    format: 'esm',
    write: false,
  });
  const { STYLE } = await import(`data:text/javascript,${encodeURIComponent(outputFiles[0].text)}`);
  return STYLE;
}
