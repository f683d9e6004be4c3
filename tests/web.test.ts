import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newWorkspace } from './support/commands.ts';

const workspace = newWorkspace();

describe('adalora web', () => {
  let stop: () => Promise<unknown>;
  let url: URL;
  beforeAll(async () => {
    const { process: child, ended } = workspace.start(['web', '--port', '0']);
    const address = await new Promise<string>((done) => {
      child.stdout!.on('data', (text) => done(/http:\S+/.exec(`${text}`)![0]));
    });
    url = new URL(address);
    stop = () => {
      child.kill('SIGINT');
      return ended;
    };
  });
  afterAll(() => stop());

  it('serves the page and its files, isolated, with a policy that allows no other origin', async () => {
    const addresses = [
      '',
      'main.js',
      'worker.js',
      'engine/ort-wasm-simd-threaded.wasm',
      'models/mini/config.json',
    ];
    for (const address of addresses) {
      const response = await fetch(new URL(address, url), { method: address === '' ? 'GET' : 'HEAD' });
      expect(response.status, address).toBe(200);
      const policy = response.headers.get('content-security-policy');
      expect(policy).toMatch(/^default-src 'none'; .*connect-src 'self'; .*frame-ancestors 'none'$/);
      expect(policy).not.toMatch(/http|\*|unsafe-(inline|eval')(?<!wasm-unsafe-eval')/);
      expect(response.headers.get('cross-origin-opener-policy')).toBe('same-origin');
      expect(response.headers.get('cross-origin-embedder-policy')).toBe('require-corp');
    }
    // Only the tab that downloads models may connect, and only to the Hub.
    const policy = (await fetch(new URL('download.html', url))).headers.get('content-security-policy');
    const hub = 'https://huggingface.co https://*.huggingface.co https://*.hf.co';
    expect(policy).toMatch(/^default-src 'none'; .*frame-ancestors 'none'$/);
    expect(/connect-src ([^;]*);/.exec(policy!)![1]).toBe(hub);
    const range = { headers: { Range: 'bytes=0-9' } };
    expect((await fetch(new URL('models/mini/model.safetensors', url), range)).status).toBe(206);
  });

  /** The status of a raw request: clients would correct some of these. */
  function ask(method: string, path: string, host = url.host): Promise<number> {
    return new Promise((done, fail) => {
      const socket = connect(Number(url.port), '127.0.0.1');
      socket.on('error', fail).once('data', (answer) => {
        socket.destroy();
        done(Number(/^HTTP\/1\.1 (\d+)/.exec(`${answer}`)?.[1]));
      });
      socket.write(`${method} ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
    });
  }

  it.each([
    ['GET', '/../package.json', 404],
    ['GET', '/models/mini/../../package.json', 404],
    ['GET', '/models/mini/%2e%2e/%2e%2e/package.json', 404],
    ['GET', '/engine/ort.min.js', 404],
    ['GET', '/engine/', 404],
    ['GET', '//', 404],
    ['POST', '/', 405],
  ])('serves nothing else: %s %s', async (method, path, status) => {
    expect(await ask(method, path)).toBe(status);
  });

  it('rejects other hosts', async () => {
    expect(await ask('GET', '/', 'evil.example')).toBe(421);
    expect(await ask('GET', '/', `localhost:${url.port}`)).toBe(200);
  });
});

it('reports that a port is taken', async () => {
  const other = createServer();
  await new Promise<void>((done) => other.listen(0, '127.0.0.1', done));
  const { port } = other.address() as AddressInfo;
  expect(await workspace.run('web', '--port', `${port}`)).toMatchObject({
    code: 2,
    stderr: `--port ${port} is in use. Choose another with --port.\n`,
  });
  other.close();
});

it('writes the page with all its files into a new folder', async () => {
  expect(await workspace.run('web', '--output', 'site')).toMatchObject({
    code: 0,
    stdout: 'The page is in site\n',
    stderr: '',
  });
  for (const name of ['index.html', '_headers', 'engine/ort-wasm-simd-threaded.asyncify.mjs'])
    expect(workspace.read('site', name).length).toBeGreaterThan(100);
  expect(workspace.read('site/models/mini/model.safetensors').length).toBeGreaterThan(1e7);
  const again = await workspace.run('web', '--output', 'site');
  expect(again.code).toBe(2);
  expect(again.stderr).toMatch(/^output: site /);
});
