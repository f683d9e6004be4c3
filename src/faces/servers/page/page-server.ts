import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import sirv from 'sirv';
import { readText } from '../../../input/formats/node/read-text.ts';
import { isOwnHost, listen, TIMEOUTS } from '../http/listen.ts';
import { MODELS_FILE, modelsFile, type PictureModel, pageParts } from './page-parts.ts';

export interface PageServer {
  url: string;
  server: Server;
}

/**
 * Serves the training page to browsers on this machine. The server only sends files; the page sends no data
 * back.
 *
 * @param pictures a model of pictures that the page can train
 * @throws UserError if the port is taken, or the page has not been built
 */
export async function servePage(port: number, pictures?: PictureModel): Promise<PageServer> {
  const parts = pageParts(pictures);
  const headers = pageHeaders(parts[0]!.folder);
  const handlers = parts.map(({ address, folder, files }) => ({
    address: `/${address}`,
    files: new Set([...files, ...(address === '' ? [''] : [])]),
    // sirv lists the files only once, at the start. No files are added later.
    send: sirv(folder, { etag: true, maxAge: 0 }),
  }));
  const server = createServer(TIMEOUTS, (request, response) => {
    for (const [name, value] of headers) response.setHeader(name, value);
    response.setHeader('X-Content-Type-Options', 'nosniff');
    const refuse = (status: number) => response.writeHead(status, { Connection: 'close' }).end(`${status}\n`);
    request.resume();
    if (!isOwnHost(request.headers.host, port)) return void refuse(421);
    if (request.method !== 'GET' && request.method !== 'HEAD') return void refuse(405);
    if (request.url === `/${MODELS_FILE}`)
      return void response.setHeader('Content-Type', 'application/json').end(modelsFile(pictures));
    const [, address, name] = /^(\/(?:[\w-]+\/)*)([\w.-]*)(?:\?.*)?$/.exec(request.url ?? '') ?? [];
    const handler = handlers.find((part) => part.address === address);
    if (!handler?.files.has(name!)) return void refuse(404);
    request.url = `/${name}`;
    handler.send(request, response, () => void refuse(404));
  });
  ({ port } = await listen(server, port, 'Choose another with --port.'));
  return { url: `http://127.0.0.1:${port}/`, server };
}

/** The headers for serving the page. They come from its file `_headers`, which some static hosts also read. */
function pageHeaders(folder: string): [name: string, value: string][] {
  const text = readText(join(folder, '_headers'), 'a file of the built page');
  return [...text.matchAll(/^ {2}([\w-]+): (.+)$/gm)].map(([, name, value]) => [name!, value!]);
}
