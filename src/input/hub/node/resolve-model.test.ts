import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import type { ServerResponse } from 'node:http';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type HostedModel, type HubServer, startHubServer } from '../../../../tests/support/hub-server.ts';
import { newFolder } from '../../../../tests/support/new-folder.ts';
import { UserError } from '../../../support/user-error.ts';
import { describeFolder } from '../../../use/trained/node/load-model.ts';
import type { DownloadProgress } from '../../formats/byte-source.ts';
import { disk } from '../../formats/node/folder-files.ts';
import { Hub } from '../hub.ts';
import { EMBEDDED_MODEL } from '../model-id.ts';
import { embeddedFolder, hub, resolveModel } from './resolve-model.ts';

const COMMIT = 'c'.repeat(40);
const NAME = 'owner/tiny';
const weights = Buffer.alloc(300_000, 'weights');
const files = {
  'config.json': Buffer.from('{"model_type": "bert"}'),
  'vocab.txt': Buffer.from('[PAD]'),
  'model.safetensors': weights,
  'pytorch_model.bin': Buffer.from('pickle'),
  'README.md': Buffer.from('# tiny'),
};

let folder: string;
let cacheDir: string;
let server: HubServer | undefined;

beforeEach(() => {
  folder = newFolder();
  cacheDir = join(folder, 'cache');
  for (const name of ['HF_HUB_OFFLINE', 'TRANSFORMERS_OFFLINE', 'HF_TOKEN', 'HF_ENDPOINT', 'HF_HUB_CACHE']) {
    vi.stubEnv(name, '');
  }
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await server?.close();
  server = undefined;
});

async function serve(model: Partial<HostedModel> = {}): Promise<HubServer> {
  server = await startHubServer({
    name: NAME,
    commit: COMMIT,
    files,
    large: ['model.safetensors'],
    ...model,
  });
  return server;
}

const repository = () => join(cacheDir, 'models--owner--tiny');
const resolve = (model = NAME) => resolveModel(model, { cacheDir, endpoint: server?.endpoint });

async function failure(attempt: Promise<unknown>): Promise<string> {
  const error = await attempt.then(
    () => undefined,
    (thrown) => thrown,
  );
  expect(error).toBeInstanceOf(UserError);
  return error.message;
}

describe('resolveModel of an adapter', () => {
  const adapter = {
    'adapter_config.json': Buffer.from('{"peft_type": "LORA"}'),
    'adapter_model.safetensors': weights,
    'adalora.json': Buffer.from('{}'),
    // Trainers push these files too. An adapter does not need them, because it uses the files
    // of the base model.
    'vocab.txt': Buffer.from('[PAD]'),
    'optimizer.pt': Buffer.from('pickle'),
  };

  it('downloads only its own files, and finds them again without the network', async () => {
    await serve({ files: adapter, large: ['adapter_model.safetensors'] });
    const found = await resolve();
    expect(readdirSync(found).sort()).toEqual(Object.keys(adapter).slice(0, 3).sort());
    await server?.close();
    expect(await resolve()).toBe(found);
  });

  it('reports missing tensors', async () => {
    const { 'adapter_model.safetensors': _, ...rest } = adapter;
    await serve({ files: rest, large: [] });
    expect(await failure(resolve())).toContain(
      'has no tensors of the adapter (adapter_model.safetensors or adapter_model.bin), only',
    );
  });
});

describe('resolveModel', () => {
  it('returns an existing folder, symlinks resolved', async () => {
    mkdirSync(join(folder, 'model'));
    symlinkSync('model', join(folder, 'link'));
    expect(await resolve(join(folder, 'link'))).toBe(join(folder, 'model'));
  });

  it('reports a path that is not a folder', async () => {
    mkdirSync(join(folder, 'model'));
    writeFileSync(join(folder, 'file'), '');
    expect(await failure(resolve(join(folder, 'modle')))).toContain('Did you mean model, file?');
    expect(await failure(resolve(join(folder, 'file')))).toContain('is a file');
  });

  it("downloads the needed files into Python's layout, and then needs no network", async () => {
    const { endpoint, requests, close } = await serve();
    const progress: DownloadProgress[] = [];
    const debug = vi.spyOn(console, 'debug');
    const snapshot = await resolveModel(NAME, {
      cacheDir,
      endpoint,
      onProgress: (event) => progress.push(event),
    });

    expect(snapshot).toBe(join(repository(), 'snapshots', COMMIT));
    expect(readdirSync(snapshot).sort()).toEqual(['config.json', 'model.safetensors', 'vocab.txt']);
    expect(readFileSync(join(snapshot, 'model.safetensors')).equals(weights)).toBe(true);
    expect(readlinkSync(join(snapshot, 'model.safetensors'))).toMatch(/^\.\.\/\.\.\/blobs\/[0-9a-f]{64}$/);
    expect(readlinkSync(join(snapshot, 'config.json'))).toMatch(/^\.\.\/\.\.\/blobs\/[0-9a-f]{40}$/);
    expect(readFileSync(join(repository(), 'refs/main'), 'utf8')).toBe(COMMIT);
    expect(readdirSync(join(repository(), 'blobs'))).toHaveLength(3);
    expect(progress.at(-1)).toEqual({
      file: 'model.safetensors',
      received: weights.length,
      total: weights.length,
    });
    expect(debug).not.toHaveBeenCalled();

    const asked = requests.length;
    expect(await resolve()).toBe(snapshot);
    expect(await resolve(`${NAME}@${COMMIT}`)).toBe(snapshot);
    expect(requests).toHaveLength(asked);
    await close();
    vi.stubEnv('HF_HUB_OFFLINE', '1');
    expect(await resolve()).toBe(snapshot);
  });

  it('reads cache, server and token from the environment', async () => {
    const { endpoint } = await serve({ token: 'hf_secret' });
    vi.stubEnv('HF_ENDPOINT', `${endpoint}/`);
    vi.stubEnv('HF_HUB_CACHE', cacheDir);
    expect(await failure(resolveModel(NAME))).toContain(
      `owner/tiny@main is neither a folder nor a model on ${endpoint} (status 401). Check the spelling. A private model needs HF_TOKEN.`,
    );
    vi.stubEnv('HF_TOKEN', 'secret');
    const message = await failure(resolveModel(NAME));
    expect(message).toContain('HF_TOKEN is not an access token');
    expect(message).not.toContain('secret');
    vi.stubEnv('HF_TOKEN', 'hf_secret');
    expect(await resolveModel(NAME)).toBe(join(repository(), 'snapshots', COMMIT));
  });

  it('downloads the vocabulary that a weights-only snapshot lacks, and keeps its files', async () => {
    const { requests } = await serve();
    const snapshot = await resolve();
    rmSync(join(snapshot, 'vocab.txt'));
    requests.length = 0;
    vi.stubEnv('HF_HUB_OFFLINE', '1');
    expect(await resolve()).toBe(snapshot);
    expect(requests).toEqual([]);
    vi.stubEnv('HF_HUB_OFFLINE', '');
    await resolve();
    expect(lstatSync(join(snapshot, 'vocab.txt')).isSymbolicLink()).toBe(true);
    // The blob is still there, so files are listed but not downloaded.
    expect(requests.filter((path) => path.includes('/resolve/'))).toEqual([]);
  });

  describe('of a model of sentence-transformers', () => {
    const pooling = Buffer.from('{"pooling_mode_cls_token": true}');
    const sentence = {
      ...files,
      'modules.json': Buffer.from(
        '[{"path": "", "type": "a.Transformer"}, {"path": "1_Pooling", "type": "a.Pooling"}]',
      ),
      '1_Pooling/config.json': pooling,
      '2_Dense/model.safetensors': Buffer.from('more'),
    };
    const pools = () => resolveModel(NAME, { cacheDir, endpoint: server?.endpoint, pools: true });

    it('downloads its pooling settings', async () => {
      await serve({ files: sentence });
      const snapshot = await resolve();
      expect(readFileSync(join(snapshot, '1_Pooling/config.json'))).toEqual(pooling);
      expect(readdirSync(snapshot)).not.toContain('2_Dense');
      expect((await describeFolder(snapshot)).family.config.sentence?.pooling.mode).toBe('cls');
    });

    it('works without the folder of the pooling module', async () => {
      const { '1_Pooling/config.json': _, ...others } = sentence;
      const { requests } = await serve({ files: others });
      expect((await describeFolder(await pools())).family.config.sentence?.unsupported).toContain(
        'no 1_Pooling/config.json',
      );
      requests.length = 0;
      await pools();
      expect(requests).toEqual([]);
    });

    it('completes a snapshot of an earlier version for vectors, or says that it may be incomplete', async () => {
      const { requests, close } = await serve({ files: sentence });
      const snapshot = await resolve();
      for (const name of ['modules.json', '1_Pooling']) rmSync(join(snapshot, name), { recursive: true });
      requests.length = 0;
      vi.stubEnv('HF_HUB_OFFLINE', '1');
      expect((await describeFolder(await pools())).family.config.sentence?.unsupported).toMatch(
        /^the cached snapshot may lack modules\.json/,
      );
      vi.stubEnv('HF_HUB_OFFLINE', '');
      expect(await resolve()).toBe(snapshot);
      expect(requests).toEqual([]);
      expect((await describeFolder(await pools())).family.config.sentence?.pooling.mode).toBe('cls');
      rmSync(join(snapshot, 'modules.json'));
      await close();
      expect(await pools()).toBe(snapshot);
    });

    it("asks once for files that another model's repository lacks", async () => {
      const { requests } = await serve();
      const snapshot = await resolve();
      rmSync(join(repository(), '.no_exist'), { recursive: true });
      await pools();
      requests.length = 0;
      expect(await pools()).toBe(snapshot);
      expect(requests).toEqual([]);
      expect((await describeFolder(snapshot)).family.config.sentence).toBeUndefined();
    });
  });

  it('downloads shards', async () => {
    const shard = 'model-00001-of-00001.safetensors';
    const index = Buffer.from(JSON.stringify({ weight_map: { a: shard } }));
    const { 'model.safetensors': _, ...others } = files;
    await serve({
      files: { ...others, [shard]: weights, 'model.safetensors.index.json': index },
      large: [shard],
    });
    const snapshot = await resolve();
    expect(readdirSync(snapshot)).toContain(shard);
    rmSync(join(snapshot, shard));
    expect(hub.findSnapshot(cacheDir, { name: NAME, revision: 'main' })).toBeNull();
  });

  it('downloads a file twice at the same time without a hole in either, and both get the first', async () => {
    const begun: ServerResponse[] = [];
    await serve({
      intercept: (request, response) => {
        if (!request.url?.endsWith('model.safetensors') || request.headers.range) return false;
        response.writeHead(200, { 'content-length': weights.length });
        response.write(weights.subarray(0, 150_000), () => begun.push(response));
        return true;
      },
    });
    const attempts = [resolve(), resolve()];
    await vi.waitUntil(() => begun.length === 2, 60_000);
    // Gives the second writer time to interfere with the first writer's temporary file.
    await setTimeout(100);
    begun[0]!.end(weights.subarray(150_000));
    const folder = await Promise.race(attempts);
    const path = join(folder, 'model.safetensors');
    expect(readFileSync(path).equals(weights)).toBe(true);
    const { ino } = statSync(path);
    begun[1]!.end(weights.subarray(150_000));
    expect(await Promise.all(attempts)).toEqual([folder, folder]);
    expect(readFileSync(path).equals(weights)).toBe(true);
    expect(statSync(path).ino).toBe(ino);
    expect(readdirSync(join(repository(), 'blobs'))).toHaveLength(3);
  });

  it('downloads a blob with a hole, left by an earlier version, again', async () => {
    await serve();
    const path = join(await resolve(), 'model.safetensors');
    const blob = realpathSync(path);
    writeFileSync(blob, Buffer.alloc(weights.length));
    rmSync(path);
    expect(readFileSync(join(await resolve(), 'model.safetensors')).equals(weights)).toBe(true);
  });

  it('offline and not in the cache, suggests similar models in the cache', async () => {
    mkdirSync(join(cacheDir, 'models--owner--tinny'), { recursive: true });
    vi.stubEnv('HF_HUB_OFFLINE', '1');
    const message = await failure(resolve());
    expect(message).toContain(
      'cache, and downloads are off (offline). Did you mean owner/tinny? Unset HF_HUB_OFFLINE to download it.',
    );
    expect(message).toContain('Did you mean owner/tinny? Unset HF_HUB_OFFLINE');
  });

  it.each<[number, string]>([
    [404, ' (status 404). Check the spelling'],
    [403, 'owner/tiny@main is not accessible with your account (status 403). Accept its terms at http://'],
    [429, '(status 429). Wait'],
    [503, '(status 503). Try again later'],
  ])('explains status %i', async (status, message) => {
    await serve({
      intercept: (_, response) => {
        response.writeHead(status).end();
        return true;
      },
    });
    expect(await failure(resolve())).toContain(message);
  });

  it('explains an unreachable server, and one that is not the Hub', async () => {
    const { endpoint, close } = await serve();
    await close();
    server = undefined;
    const message = await failure(resolveModel(NAME, { cacheDir, endpoint }));
    expect(message).toContain(`could not be fetched from ${endpoint}: fetch failed (ECONNREFUSED)`);
    await serve({
      intercept: (_, response) => {
        response.end('<html>');
        return true;
      },
    });
    expect(await failure(resolve())).toContain(
      `(Unexpected token '<', "<html>" is not valid JSON). Check HF_ENDPOINT, and whether a proxy answers instead.`,
    );
  });

  it.each<[string, HostedModel['intercept'], string]>([
    [
      'a connection that breaks',
      (request, response) => {
        if (!request.url?.endsWith('model.safetensors') || request.headers.range) return false;
        response.writeHead(200, { 'content-length': weights.length });
        response.write(weights.subarray(0, 100_000), () => response.destroy());
        return true;
      },
      'Check the network',
    ],
    [
      'other content',
      (request, response) => {
        if (!request.url?.endsWith('model.safetensors') || request.headers.range) return false;
        response.end(Buffer.alloc(weights.length));
        return true;
      },
      'does not have the hash',
    ],
    [
      'endless content',
      (request, response) => {
        if (!request.url?.endsWith('model.safetensors') || request.headers.range) return false;
        response.end(Buffer.alloc(weights.length + 1));
        return true;
      },
      'but more were received',
    ],
  ])('keeps nothing of %s, and keeps complete files', async (_, intercept, message) => {
    await serve({ intercept });
    expect(await failure(resolve())).toContain(message);
    expect(readdirSync(join(repository(), 'blobs'))).toHaveLength(2);
    expect(readdirSync(join(repository(), 'snapshots', COMMIT)).sort()).toEqual(['config.json', 'vocab.txt']);
    expect(hub.findSnapshot(cacheDir, { name: NAME, revision: COMMIT })).toBeNull();
  });

  it("downloads PyTorch's own files if there are no others, one or several", async () => {
    const { 'model.safetensors': _, 'README.md': __, 'pytorch_model.bin': bin, ...described } = files;
    await serve({ files: { ...described, 'pytorch_model.bin': bin }, large: [] });
    expect(readdirSync(await resolve()).sort()).toEqual(['config.json', 'pytorch_model.bin', 'vocab.txt']);
    await server?.close();
    rmSync(cacheDir, { recursive: true });
    const shard = 'pytorch_model-00001-of-00001.bin';
    const index = Buffer.from(JSON.stringify({ weight_map: { a: shard } }));
    await serve({ files: { ...described, 'pytorch_model.bin.index.json': index, [shard]: bin }, large: [] });
    const folder = await resolve();
    expect(readdirSync(folder)).toContain(shard);
    rmSync(join(folder, shard));
    expect(hub.findSnapshot(cacheDir, { name: NAME, revision: COMMIT })).toBeNull();
  });

  it('rejects a hostile server', async () => {
    await serve({ commit: '../../../evil' });
    expect(await failure(resolve())).toContain('sent "../../../evil" instead of a commit hash');
    expect(readdirSync(folder)).toEqual([]);
  });

  it('rejects repositories without the needed files', async () => {
    const { 'model.safetensors': _, 'pytorch_model.bin': _bin, ...unweighted } = files;
    await serve({ files: unweighted });
    expect(await failure(resolve())).toContain(
      'has no weights (model.safetensors or pytorch_model.bin), only',
    );
    await server?.close();
    const { 'config.json': __, ...noConfig } = files;
    await serve({ files: noConfig });
    expect(await failure(resolve())).toContain('has no config.json');
  });
});

describe('the cache folder', () => {
  it.each<[NodeJS.ProcessEnv, string]>([
    [{ HF_HUB_CACHE: '/a', HF_HOME: '/b' }, '/a'],
    [{ HF_HOME: '/b', XDG_CACHE_HOME: '/c' }, '/b/hub'],
    [{ XDG_CACHE_HOME: '/c' }, '/c/huggingface/hub'],
    [{}, '/home/.cache/huggingface/hub'],
  ])('%j', (env, expected) => {
    expect(new Hub(disk, env, () => '/home', embeddedFolder).cacheFolder).toEqual(expected);
  });
});

let root: string;
beforeEach(() => {
  root = newFolder();
});

it('the embedded model is in the package', () => {
  mkdirSync(join(root, 'models/mini'), { recursive: true });
  writeFileSync(join(root, 'models/mini/config.json'), '{}');
  expect(embeddedFolder([pathToFileURL(join(root, 'models/mini/config.json'))])).toBe(
    join(root, 'models/mini'),
  );
});

it('the embedded model is reported missing in a package without it', () => {
  const file = pathToFileURL(join(root, 'models/mini/config.json'));
  expect(() => embeddedFolder([file])).toThrow(
    `\`model\` is not set, and the built-in model is missing from ${join(root, 'models/mini')}`,
  );
});

it.skipIf(!existsSync('models/mini'))(
  'the embedded model is listed file by file, with an expression for bundlers',
  () => {
    const files = readdirSync('models/mini').filter((name) => name !== 'README.md');
    const source = readFileSync('src/input/hub/embedded-files.ts', 'utf8');
    for (const name of files)
      expect(source).toMatch(new RegExp(`new URL\\('[./]+/models/mini/${name}', import`));
  },
);

it.skipIf(!existsSync('models/mini'))(
  'the embedded model is found by its name (skipped without models/mini)',
  async () => {
    expect(await resolveModel(EMBEDDED_MODEL)).toBe(realpathSync('models/mini'));
  },
);

it('an endpoint that is not a URL is an error of the user', async () => {
  const asked = resolveModel('a/b', { endpoint: 'notaurl', cacheDir: root });
  await expect(asked).rejects.toThrow('could not be fetched from notaurl');
  await expect(asked).rejects.toBeInstanceOf(UserError);
});
