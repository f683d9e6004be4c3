import { existsSync, readdirSync, statSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import sirv from 'sirv';
import { convertHint } from '../../../input/formats/checkpoint.ts';
import { assertNewFolder, fileChunks, readText } from '../../../input/formats/files.ts';
import { disk } from '../../../input/formats/node/folder-files.ts';
import { neededFiles, POOLING } from '../../../input/hub/model-files.ts';
import { embeddedFolder } from '../../../input/hub/node/resolve-model.ts';
import { atomicWrite } from '../../../input/store/node/atomic-write.ts';
import { UserError } from '../../../support/user-error.ts';
import { isLoopbackHost, listen, TIMEOUTS } from '../http/listen.ts';

/** The package's root is four folders above this file, both in the source and in the build. */
const PAGE = fileURLToPath(new URL('../../../../dist/page', import.meta.url));

const { resolve } = createRequire(import.meta.url);

/** The engine files that a page downloads, for two builds: WebAssembly alone, and with WebGPU. */
const WEB_ENGINE_FILES = ['ort-wasm-simd-threaded', 'ort-wasm-simd-threaded.asyncify'].flatMap((name) => [
  `${name}.mjs`,
  `${name}.wasm`,
]);

/** The folder of the {@link WEB_ENGINE_FILES}. */
function webEngineFolder(): string {
  return dirname(resolve(`onnxruntime-web/${WEB_ENGINE_FILES[0]}`));
}

/** A part of the page: its folder, and the URL path at which the page expects it. */
interface PagePart {
  address: string;
  folder: string;
  files: readonly string[];
}

/** A model that the page is served with: the name that adapters record, and its folder. */
interface ServedModel {
  name: string;
  folder: string;
}

/** The folder of the served model in the page. */
const SERVED = 'models/served/';
/** The file with the name of that model and the size of its files, and its content. */
const MODELS_FILE = 'models.json';

function modelsFile(served?: ServedModel): string {
  const paths = served ? servedFiles(served).map((file) => join(served.folder, file)) : [];
  const bytes = paths.reduce((sum, path) => sum + statSync(path).size, 0);
  return `${JSON.stringify(served ? { served: served.name, bytes } : {})}\n`;
}

/** @throws UserError if the page has not been built, or the model has no weights */
function pageParts(served?: ServedModel): PagePart[] {
  if (!existsSync(join(PAGE, 'index.html'))) {
    const hint = 'Run: npm run web:build';
    throw new UserError({ where: PAGE, fault: 'is missing: the page is not built', hint });
  }
  const missing = WEB_ENGINE_FILES.filter((name) => !existsSync(join(webEngineFolder(), name)));
  if (missing.length > 0) {
    const hint = 'Install the package again, and run scripts/slim.mjs with --keep-web.';
    throw new UserError({ where: webEngineFolder(), fault: `has no ${missing.join(', ')}`, hint });
  }
  const model = embeddedFolder();
  return [
    { address: '', folder: PAGE, files: readdirSync(PAGE) },
    { address: 'engine/', folder: webEngineFolder(), files: WEB_ENGINE_FILES },
    { address: 'models/mini/', folder: model, files: readdirSync(model) },
    ...(served ? servedParts(served) : []),
  ];
}

function servedParts(served: ServedModel): PagePart[] {
  const { folder } = served;
  const files = servedFiles(served);
  const [above, pooling] = [files.filter((file) => !file.includes('/')), `${POOLING}/`];
  const below = files.filter((file) => file.startsWith(pooling)).map((file) => file.slice(pooling.length));
  return [
    { address: SERVED, folder, files: above },
    ...(below.length > 0 ? [{ address: SERVED + pooling, folder: join(folder, POOLING), files: below }] : []),
  ];
}

/** The files of a model that the page reads. */
function servedFiles({ name, folder }: ServedModel): string[] {
  const pooling = join(folder, POOLING);
  const below = existsSync(pooling) ? readdirSync(pooling).map((file) => `${POOLING}/${file}`) : [];
  const files = neededFiles([...readdirSync(folder), ...below]);
  if (files?.some((file) => file.endsWith('.safetensors'))) return files;
  const fault = 'has no model.safetensors, which a page reads';
  throw new UserError({ where: name, fault, hint: convertHint(folder) });
}

/**
 * Writes the page with all its files into a folder, for any static host.
 *
 * @throws UserError if the folder is not empty
 */
export function writePage(output: string, served?: ServedModel): void {
  assertNewFolder(disk, output);
  for (const { address, folder, files } of pageParts(served)) {
    for (const name of files) disk.write(join(output, address, name), fileChunks(disk, join(folder, name)));
  }
  atomicWrite(join(output, MODELS_FILE), modelsFile(served));
}

export interface PageServer {
  url: string;
  server: Server;
}

/**
 * Serves the training page to browsers on this machine. The server only sends files; the page sends no data
 * back.
 *
 * @param served a model that the page can train
 * @throws UserError if the port is taken, or the page has not been built
 */
export async function servePage(port: number, served?: ServedModel): Promise<PageServer> {
  const parts = pageParts(served);
  const headers = pageHeaders(parts[0]!.folder);
  const handlers = parts.map(({ address, folder, files }) => ({
    address: `/${address}`,
    files: address === '' ? ['', ...files] : files,
    // sirv lists the files only once, at the start. No files are added later.
    send: sirv(folder, { etag: true, maxAge: 0 }),
  }));
  const server = createServer(TIMEOUTS, (request, response) => {
    for (const [pattern, name, value] of headers)
      if (matches(pattern, request.url ?? '')) response.setHeader(name, value);
    response.setHeader('X-Content-Type-Options', 'nosniff');
    const refuse = (status: number) => response.writeHead(status, { Connection: 'close' }).end(`${status}\n`);
    request.resume();
    if (!isLoopbackHost(request.headers.host)) return void refuse(421);
    if (request.method !== 'GET' && request.method !== 'HEAD') return void refuse(405);
    if (request.url === `/${MODELS_FILE}`)
      return void response.setHeader('Content-Type', 'application/json').end(modelsFile(served));
    const [, address, name] = /^(\/(?:[\w-]+\/)*)([\w.-]*)(?:\?.*)?$/.exec(request.url ?? '') ?? [];
    const handler = handlers.find((part) => part.address === address);
    if (!handler?.files.includes(name!)) return void refuse(404);
    request.url = `/${name}`;
    handler.send(request, response, () => void refuse(404));
  });
  ({ port } = await listen(server, port, 'Choose another with --port.'));
  return { url: `http://127.0.0.1:${port}/`, server };
}

/**
 * The headers for serving the page, with the patterns of their addresses. They come from its file `_headers`, which some
 * static hosts also read.
 */
function pageHeaders(folder: string): [pattern: string, name: string, value: string][] {
  const text = readText(disk, join(folder, '_headers'), 'a file of the built page');
  return [...text.matchAll(/^(\/.*)\n((?: {2}.+\n)+)/gm)].flatMap(([, pattern, lines]) =>
    [...lines!.matchAll(/^ {2}([\w-]+): (.+)$/gm)].map(([, name, value]): [string, string, string] => [
      pattern!,
      name!,
      value!,
    ]),
  );
}

/** Whether an address is that of a rule, or begins as one that ends with a star. */
function matches(pattern: string, url: string): boolean {
  const path = url.replace(/\?.*$/, '');
  return pattern.endsWith('*') ? path.startsWith(pattern.slice(0, -1)) : path === pattern;
}
