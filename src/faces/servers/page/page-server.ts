import { existsSync, readdirSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import sirv from 'sirv';
import { assertNewFolder, fileChunks, readText } from '../../../input/formats/files.ts';
import { disk } from '../../../input/formats/node/folder-files.ts';
import { embeddedFolder } from '../../../input/hub/node/resolve-model.ts';
import { PROCESSOR_FILE } from '../../../input/media/medium.ts';
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

/** A model of files, such as images, that the page is served with: the name that adapters record, and its folder. */
interface ModelOfFiles {
  name: string;
  folder: string;
}

/** The file with the name of that model, and its content. */
const MODELS_FILE = 'models.json';
const modelsFile = (served?: ModelOfFiles) => `${JSON.stringify({ served: served?.name })}\n`;

/** @throws UserError if the page has not been built, or the model reads no files */
function pageParts(served?: ModelOfFiles): PagePart[] {
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
    ...(served ? [{ address: 'models/served/', ...servedFiles(served) }] : []),
  ];
}

function servedFiles({ name, folder }: ModelOfFiles): Omit<PagePart, 'address'> {
  const files = readdirSync(folder).filter((file) =>
    /^(.*config\.json|tokenizer\.json|model.*\.safetensors(\.index\.json)?)$/.test(file),
  );
  if (files.includes(PROCESSOR_FILE)) return { folder, files };
  const fault = `has no ${PROCESSOR_FILE}, so it reads texts only`;
  throw new UserError({ where: name, fault, hint: 'Try facebook/dinov2-small.' });
}

/**
 * Writes the page with all its files into a folder, for any static host.
 *
 * @throws UserError if the folder is not empty
 */
export function writePage(output: string, served?: ModelOfFiles): void {
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
 * @param served a model that the page can train on files
 * @throws UserError if the port is taken, or the page has not been built
 */
export async function servePage(port: number, served?: ModelOfFiles): Promise<PageServer> {
  const parts = pageParts(served);
  const headers = pageHeaders(parts[0]!.folder);
  const handlers = parts.map(({ address, folder, files }) => ({
    address: `/${address}`,
    files: address === '' ? ['', ...files] : files,
    // sirv lists the files only once, at the start. No files are added later.
    send: sirv(folder, { etag: true, maxAge: 0 }),
  }));
  const server = createServer(TIMEOUTS, (request, response) => {
    for (const [name, value] of headers) response.setHeader(name, value);
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

/** The headers for serving the page. They come from its file `_headers`, which some static hosts also read. */
function pageHeaders(folder: string): [name: string, value: string][] {
  const text = readText(disk, join(folder, '_headers'), 'a file of the built page');
  return [...text.matchAll(/^ {2}([\w-]+): (.+)$/gm)].map(([, name, value]) => [name!, value!]);
}
