import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A Hub for tests, on the loopback interface. It has one repository and answers the three requests of a download. */
export interface HubServer {
  endpoint: string;
  /** Requested paths, in order. */
  requests: string[];
  close(): Promise<void>;
}

export interface HostedModel {
  name: string;
  type?: 'model' | 'dataset';
  commit: string;
  /** Revisions other than `main`: their commits and files. */
  branches?: Record<string, { commit: string; files: Record<string, Buffer> }>;
  files: Record<string, Buffer>;
  /** The bearer token that requests must have. */
  token?: string;
  /** Files that are listed as LFS, with a SHA-256. */
  large?: string[];
  /** Called before the server responds. Returns true if it has answered the request. */
  intercept?: (request: IncomingMessage, response: ServerResponse) => boolean;
}

export async function startHubServer(model: HostedModel): Promise<HubServer> {
  const requests: string[] = [];
  const server = createServer((request, response) => {
    const path = new URL(request.url ?? '/', 'http://hub').pathname;
    requests.push(path);
    if (model.intercept?.(request, response)) return;
    if (model.token && request.headers.authorization !== `Bearer ${model.token}`)
      return void sendStatus(response, 401);
    answer(model, path, request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const close = () => {
    server.closeAllConnections();
    return new Promise<void>((resolve) => server.close(() => resolve()));
  };
  return { endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests, close };
}

function answer(model: HostedModel, path: string, request: IncomingMessage, response: ServerResponse): void {
  const { name, type = 'model', branches = {} } = model;
  const api = `/api/${type}s/${name}`;
  for (const [revision, { commit, files }] of Object.entries({ main: model, ...branches })) {
    const content = `${type === 'model' ? '' : '/datasets'}/${name}/resolve/${commit}/`;
    if (path === `${api}/revision/${encodeURIComponent(revision)}`)
      return void sendJson(response, { _id: '1', id: name, sha: commit });
    if (path === `${api}/tree/${commit}`) return void sendJson(response, tree({ ...model, files }));
    const below = path.startsWith(`${api}/tree/${commit}/`) && path.slice(`${api}/tree/${commit}/`.length);
    if (below && Object.keys(files).some((file) => file.startsWith(`${below}/`)))
      return void sendJson(response, tree({ ...model, files }, below));
    if (path.startsWith(content)) return void sendFile(files[path.slice(content.length)]!, request, response);
  }
  sendStatus(response, 404);
}

/** The entries of a folder. For a dataset, all files below it. */
function tree({ files, large = [], type }: HostedModel, folder = ''): unknown[] {
  const start = folder === '' ? '' : `${folder}/`;
  const below = Object.entries(files).filter(([path]) => path.startsWith(start));
  const isDeep = (path: string) => path.slice(start.length).includes('/');
  const here = type === 'dataset' ? below : below.filter(([path]) => !isDeep(path));
  const folders = below
    .filter(([path]) => isDeep(path))
    .map(([path]) => path.slice(0, path.indexOf('/', start.length)));
  const entries = here.map(([path, content]) => {
    const oid = createHash('sha1').update(`blob ${content.length}\0`).update(content).digest('hex');
    const sha256 = createHash('sha256').update(content).digest('hex');
    const lfs = large.includes(path) ? { oid: sha256, size: content.length, pointerSize: 134 } : undefined;
    return { type: 'file', path, size: content.length, oid, lfs };
  });
  const directories = ['onnx', ...new Set(folders)].map((path) => ({
    type: 'directory',
    path,
    size: 0,
    oid: '0'.repeat(40),
  }));
  return [...directories, ...entries];
}

function sendFile(content: Buffer, request: IncomingMessage, response: ServerResponse): void {
  const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '');
  if (!range) {
    response.writeHead(200, { etag: '"x"', 'content-length': content.length }).end(content);
    return;
  }
  const [begin, end] = [Number(range[1]), Math.min(Number(range[2]), content.length - 1)];
  const contentRange = `bytes ${begin}-${end}/${content.length}`;
  response
    .writeHead(206, { etag: '"x"', 'content-range': contentRange })
    .end(content.subarray(begin, end + 1));
}

function sendJson(response: ServerResponse, value: unknown): void {
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value));
}

function sendStatus(response: ServerResponse, status: number): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end('{"error":"no"}');
}
