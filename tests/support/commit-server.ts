import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A Hub for tests that takes commits, with large files by Git LFS. */
export interface CommitServer {
  endpoint: string;
  repositories: Map<string, CommittedRepository>;
  /** Every request: its method, path, headers and body. */
  requests: { method: string; path: string; authorization: string | undefined; body: Buffer }[];
  /** Called before the server responds. A number is the status of an error. */
  intercept: (method: string, path: string) => number | undefined;
  /** The body that is sent instead of the server's own; undefined for that. */
  replace: (method: string, path: string) => unknown;
  close(): Promise<void>;
}

export interface CommittedRepository {
  visibility: string;
  /** The newest first. */
  commits: { id: string; title: string }[];
  files: Map<string, Buffer>;
}

/** Larger files and files with these endings go to the store of large files. */
const LARGE = /\.(safetensors|onnx)$/;

export async function startCommitServer(token: string, publicDataSets: string[] = []): Promise<CommitServer> {
  const repositories = new Map<string, CommittedRepository>();
  const large = new Map<string, Buffer>();
  const started: CommitServer = {
    endpoint: '',
    repositories,
    requests: [],
    intercept: () => undefined,
    replace: () => undefined,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
  const server = createServer(async (request, response) => {
    const { pathname: path } = new URL(request.url ?? '/', 'http://hub');
    const method = request.method ?? '';
    const body = await bodyOf(request);
    const { authorization } = request.headers;
    started.requests.push({ method, path, authorization, body });
    const send = (status: number, value: unknown) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
    const refused = started.intercept(method, path);
    // A server may repeat what it was sent.
    if (refused !== undefined) return send(refused, { error: `no: ${authorization}` });
    const isOpen = path.startsWith('/large/') || path.startsWith('/api/datasets/');
    if (!isOpen && authorization !== `Bearer ${token}`) return send(401, { error: 'Invalid token' });
    const replaced = started.replace(method, path);
    if (replaced !== undefined) return send(200, replaced);
    const [status, value] = answer(method, path, body);
    send(status, value);
  });

  function answer(method: string, path: string, body: Buffer): [number, unknown] {
    if (path.startsWith('/api/datasets/'))
      return publicDataSets.includes(path.slice('/api/datasets/'.length)) ? [200, {}] : [401, {}];
    if (path.startsWith('/large/') && method === 'PUT') {
      const id = path.slice('/large/'.length);
      if (createHash('sha256').update(body).digest('hex') !== id) return [400, { error: 'wrong hash' }];
      large.set(id, body);
      return [200, {}];
    }
    if (path === '/api/repos/create') {
      const { name, organization, visibility } = JSON.parse(String(body));
      const id = `${organization}/${name}`;
      if (repositories.has(id)) return [409, { error: 'You already created this model repo' }];
      const commits = [{ id: hashOf(id), title: 'initial commit' }];
      repositories.set(id, { visibility, commits, files: new Map() });
      return [200, { url: `${started.endpoint}/${id}`, id }];
    }
    const [, named] = /^\/(?:api\/models\/)?([^/]+\/[^/.]+)/.exec(path) ?? [];
    const repository = repositories.get(named ?? '');
    if (!repository) return [404, { error: 'Repository not found' }];
    if (path.endsWith('/commits/main')) {
      const commits = repository.commits.map((one) => ({
        ...one,
        message: '',
        authors: [],
        date: '2026-01-01',
      }));
      return [200, commits];
    }
    if (path.endsWith('/preupload/main')) {
      const { files } = JSON.parse(String(body)) as { files: { path: string }[] };
      const modes = files.map(({ path: file }) => ({
        path: file,
        uploadMode: LARGE.test(file) ? 'lfs' : 'regular',
      }));
      return [200, { files: modes }];
    }
    if (path.endsWith('/info/lfs/objects/batch')) {
      const { objects } = JSON.parse(String(body)) as { objects: { oid: string; size: number }[] };
      const wanted = objects.map(({ oid, size }) => ({
        oid,
        size,
        ...(!large.has(oid) && {
          actions: { upload: { href: `${started.endpoint}/large/${oid}`, header: {} } },
        }),
      }));
      return [200, { transfer: 'basic', objects: wanted }];
    }
    if (path.endsWith('/commit/main')) return commit(repository, String(body));
    return [404, { error: 'no such route' }];
  }

  function commit(repository: CommittedRepository, body: string): [number, unknown] {
    const [{ value: header }, ...entries] = body.split('\n').map((line) => JSON.parse(line));
    const [last] = repository.commits;
    if (header.parentCommit !== undefined && header.parentCommit !== last?.id)
      return [412, { error: 'A commit has happened since' }];
    for (const { key, value } of entries) {
      const content = key === 'lfsFile' ? large.get(value.oid) : Buffer.from(value.content, 'base64');
      if (!content) return [400, { error: 'a large file is missing' }];
      repository.files.set(value.path, content);
    }
    const id = hashOf(body + repository.commits.length);
    repository.commits.unshift({ id, title: header.summary });
    return [200, { commitOid: id, commitUrl: `${started.endpoint}/commit/${id}`, success: true }];
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  started.endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return started;
}

function hashOf(text: string): string {
  return createHash('sha1').update(text).digest('hex');
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
