import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
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
const POLICY = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "style-src 'self'",
  "img-src 'self' data: blob:",
  "connect-src 'self'",
  "worker-src 'self' blob:",
  "base-uri 'none'",
  "form-action 'none'",
].join('; ');

/**
 * The headers also isolate the page, as threads need it. The page itself contains the policy; from a server, it applies
 * to every file.
 */
const HEADERS = {
  'Content-Security-Policy': `${POLICY}; frame-ancestors 'none'`,
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
writeFileSync(join(OUTPUT, 'page.css'), (await reportStyle()) + text('page.css'));
const headers = Object.entries(HEADERS).map(([name, value]) => `  ${name}: ${value}\n`);
writeFileSync(join(OUTPUT, '_headers'), `/*\n${headers.join('')}`);
cpSync(join(SOURCE, 'icon.svg'), join(OUTPUT, 'icon.svg'));
cpSync('examples/starter/train.tsv', join(OUTPUT, 'example.tsv'));

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
