import { createReadStream, readFileSync, statSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { basename, join } from 'node:path';
import { build } from 'esbuild';

const TYPES: Record<string, string> = {
  js: 'text/javascript',
  mjs: 'text/javascript',
  html: 'text/html',
  wasm: 'application/wasm',
};
const PAGE =
  '<!doctype html><title>page</title><input type="file"><script type="module" src="/page.js"></script>';
const ENGINE = 'node_modules/onnxruntime-web/dist';
/** The page's URLs and their folders, as on a site that copies the files beside its script. */
const FOLDERS: Record<string, string> = { '': ENGINE, 'engine/': ENGINE, 'models/mini/': 'models/mini' };

export interface PageServer {
  /** Ends with a slash. */
  url: string;
  /** The responses so far, as `206 models/mini/model.safetensors`. */
  answers: string[];
  close(): void;
}

/**
 * Serves a page with a file input that runs `script`, bundled as for a site. The engine's files and the embedded
 * model support ranges.
 */
export async function servePage(script: string): Promise<PageServer> {
  const { outputFiles } = await build({
    entryPoints: [script],
    bundle: true,
    format: 'esm',
    write: false,
    // Code for Node only must not be reached.
    platform: 'browser',
    logLevel: 'silent',
  });
  const answers: string[] = [];
  const server = createServer((request, response) => {
    const path = new URL(request.url!, 'http://page').pathname.slice(1);
    response.on('finish', () => answers.push(`${response.statusCode} ${path}`));
    if (path === '') return send(response, 'html', PAGE);
    if (path === 'page.js') return send(response, 'js', outputFiles[0]!.text);
    const [, folder, name] = /^((?:\w+\/)*)([\w.-]+)$/.exec(path) ?? [];
    const place = Object.hasOwn(FOLDERS, folder ?? '?') ? join(FOLDERS[folder!]!, name!) : undefined;
    sendFile(response, place, request.headers.range);
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}/`, answers, close: () => server.close() };
}

function send(response: ServerResponse, ending: string, content: string): void {
  response.writeHead(200, { 'Content-Type': TYPES[ending] }).end(content);
}

function sendFile(response: ServerResponse, path: string | undefined, range: string | undefined): void {
  const size = path === undefined ? undefined : statSync(path, { throwIfNoEntry: false })?.size;
  if (path === undefined || size === undefined) {
    response.writeHead(404).end();
    return;
  }
  const type = TYPES[basename(path).split('.').at(-1)!] ?? 'application/octet-stream';
  const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(range ?? '') ?? [];
  if (first === undefined) {
    response.writeHead(200, { 'Content-Type': type }).end(readFileSync(path));
    return;
  }
  const [start, end] = [Number(first), Math.min(Number(last), size - 1)];
  response.writeHead(206, {
    'Content-Type': type,
    'Content-Length': end - start + 1,
    'Content-Range': `bytes ${start}-${end}/${size}`,
  });
  createReadStream(path, { start, end }).pipe(response);
}
