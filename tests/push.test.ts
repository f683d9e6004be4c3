import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { newWorkspace, succeeds } from './support/commands.ts';
import { type CommitServer, startCommitServer } from './support/commit-server.ts';

const TOKEN = 'hf_SecretSecretSecret';
const REPO = 'someone/cola';
const BASE = 'someone/base';

const workspace = newWorkspace();
let hub: CommitServer;
beforeEach(async () => {
  hub = await startCommitServer(TOKEN, ['glue']);
});
afterEach(() => hub.close());

beforeAll(async () => {
  await succeeds(workspace.train('method=adalora', 'training.max_steps=20'));
  // Files that must not be sent.
  writeFileSync(workspace.path('run', 'adapter', 'train.tsv'), 'secret rows');
  writeFileSync(workspace.path('run', 'adapter', 'optimizer.bin'), 'secret state');
  symlinkSync(workspace.path('train.tsv'), workspace.path('run', 'adapter', 'tokenizer.json'));
});

const ADAPTER = ['README.md', 'adalora.json', 'adapter_config.json', 'adapter_model.safetensors'];

async function push(args: string[], env: Record<string, string> = {}) {
  const started = workspace.start(['push', 'run', REPO, '--license', 'mit', ...args], {
    env: { HF_HUB_OFFLINE: '', HF_ENDPOINT: hub.endpoint, HF_TOKEN: TOKEN, ...env },
  });
  const ended = await started.ended;
  // Whatever happens, the token is not printed.
  expect(ended.stdout + ended.stderr).not.toContain('Secret');
  return ended;
}

const pushed = () => hub.repositories.get(REPO)!;
const frontMatter = () => {
  const [, yaml] = /^---\n([\s\S]*?)\n---\n/.exec(String(pushed().files.get('README.md')))!;
  return parse(yaml!);
};

describe('adalora push', () => {
  it('uploads the adapter and nothing else, into a private repository', async () => {
    const { code, stdout, stderr } = await push(['--model', BASE]);
    expect({ code, stderr }).toMatchObject({
      code: 0,
      stderr: expect.stringContaining('sent adapter_model'),
    });
    expect(stdout).toContain(`${hub.endpoint}/${REPO}`);
    expect([...pushed().files.keys()].sort()).toEqual(ADAPTER);
    expect(pushed().visibility).toBe('private');
    const file = 'adapter_model.safetensors';
    expect(pushed().files.get(file)).toEqual(readFileSync(workspace.path('run', 'adapter', file)));
    expect(JSON.parse(String(pushed().files.get('adapter_config.json')))).toMatchObject({
      base_model_name_or_path: BASE,
    });
    const sent = Buffer.concat(hub.requests.map(({ body }) => body)).toString('latin1');
    for (const secret of ['secret rows', 'secret state', workspace.folder, TOKEN]) {
      expect(sent.includes(secret), secret).toBe(false);
    }
    // Large files go to another server, which must not see the token.
    const large = hub.requests.filter(({ method }) => method === 'PUT');
    expect(large).toMatchObject([{ authorization: undefined }]);
  });

  it('writes what the Hub reads from a card', async () => {
    await push(['--model', BASE, '--public']);
    expect(pushed().visibility).toBe('public');
    expect(frontMatter()).toMatchObject({
      library_name: 'peft',
      license: 'mit',
      base_model: BASE,
      base_model_relation: 'adapter',
      pipeline_tag: 'text-classification',
      tags: expect.arrayContaining(['peft']),
      'model-index': [
        {
          results: [
            {
              metrics: expect.arrayContaining([
                { type: 'accuracy', name: 'Accuracy', value: expect.any(Number) },
              ]),
            },
          ],
        },
      ],
    });
    const card = String(pushed().files.get('README.md'));
    expect(card).toContain(`PeftModel.from_pretrained(base, "${REPO}")`);
    expect(card).toContain(`npx adalora predict ${REPO} `);
  });

  it.each([
    ['glue', ['glue']],
    ['someone/private', undefined],
  ])('names a dataset only if it is public: %s', async (name, datasets) => {
    const card = workspace.path('run', 'README.md');
    const before = readFileSync(card, 'utf8');
    const changed = before.replace(/^tags:/m, `datasets:\n  - ${name}\ntags:`).replaceAll('dev.tsv', name);
    writeFileSync(card, changed);
    try {
      await push(['--model', BASE]);
    } finally {
      writeFileSync(card, before);
    }
    expect(frontMatter().datasets).toEqual(datasets);
    const [{ results }] = frontMatter()['model-index'];
    expect(JSON.stringify(results).includes(name)).toBe(datasets !== undefined);
  });

  it.each([
    ['merged', 'transformers', ['config.json', 'model.safetensors', 'tokenizer.json']],
    ['onnx', 'transformers.js', ['config.json', 'onnx/model.onnx', 'tokenizer.json']],
  ])('uploads another form: %s', async (form, library, files) => {
    expect(await push(['--as', form])).toMatchObject({ code: 0 });
    expect([...pushed().files.keys()]).toEqual(expect.arrayContaining(files));
    expect(frontMatter()).toMatchObject({ library_name: library, license: 'mit' });
    // The base is a folder here.
    expect(frontMatter()).not.toHaveProperty('base_model');
    expect(String(pushed().files.get('README.md'))).not.toContain('PeftModel');
  });

  it('only lists the files in a dry run', async () => {
    const { code, stdout } = await push(['--model', BASE, '--dry-run', '--json'], { HF_TOKEN: '' });
    expect(code).toBe(0);
    expect(Object.keys(JSON.parse(stdout).files).sort()).toEqual(ADAPTER);
    expect(hub.requests).toEqual([]);
  });

  it('builds on its own commit, and not on that of others', async () => {
    expect(await push(['--model', BASE])).toMatchObject({ code: 0 });
    expect(await push(['--model', BASE])).toMatchObject({ code: 0 });
    const [ours] = pushed().commits;
    pushed().commits.unshift({ id: 'f'.repeat(40), title: 'Better words' });
    const refused = await push(['--model', BASE]);
    expect(refused).toMatchObject({ code: 2 });
    expect(refused.stderr).toContain(
      `was last changed by another program: commit ${'f'.repeat(40)} ("Better words")`,
    );
    expect(await push(['--model', BASE, '--parent', ours!.id])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('Another commit has arrived.'),
    });
    expect(await push(['--model', BASE, '--parent', 'f'.repeat(40)])).toMatchObject({ code: 0 });
  });

  it('sends large files once, if it is interrupted', async () => {
    hub.intercept = (_, path) => (path.endsWith('/commit/main') ? 502 : undefined);
    const failed = await push(['--model', BASE]);
    expect(failed).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('files that have arrived are not sent again'),
    });
    hub.intercept = () => undefined;
    expect(await push(['--model', BASE])).toMatchObject({ code: 0 });
    expect(hub.requests.filter(({ method }) => method === 'PUT')).toHaveLength(1);
    expect([...pushed().files.keys()].sort()).toEqual(ADAPTER);
  });

  it('takes the token of the login file', async () => {
    const home = workspace.path('home');
    mkdirSync(home);
    writeFileSync(join(home, 'token'), `${TOKEN}\n`);
    expect(await push(['--model', BASE], { HF_TOKEN: '', HF_HOME: home })).toMatchObject({ code: 0 });
    const none = await push(['--model', BASE], { HF_TOKEN: '', HF_HOME: workspace.path('nowhere') });
    expect(none).toMatchObject({ code: 2, stderr: expect.stringContaining('needs an access token') });
  });

  it('stores the token nowhere', () => {
    const files = readdirSync(workspace.folder, { recursive: true, encoding: 'utf8' }).map((name) =>
      workspace.path(name),
    );
    const holding = files.filter(
      (path) => existsSync(path) && isFile(path) && readFileSync(path).includes(TOKEN),
    );
    expect(holding).toEqual([workspace.path('home', 'token')]);
  });

  it.each([
    ['a folder as base', [], {}, 'names its base model by a folder'],
    ['a wrong token', ['--model', BASE], { HF_TOKEN: 'hf_SecretWrong' }, 'Check the access token.'],
    ['no network', ['--model', BASE], { HF_ENDPOINT: 'http://127.0.0.1:9' }, 'could not be uploaded'],
    ['offline', ['--model', BASE], { HF_HUB_OFFLINE: '1' }, 'cannot be uploaded offline'],
    ['an unknown form', ['--as', 'gguf'], {}, 'Allowed choices are merged, onnx.'],
  ])('refuses %s in one sentence', async (_, args, env, message) => {
    const { code, stderr } = await push(args, env);
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining(message) });
    expect(stderr).not.toContain('    at ');
  });

  it('hides the token that a server repeats', async () => {
    hub.intercept = () => 403;
    const { code, stderr } = await push(['--model', BASE]);
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining('no: Bearer …') });
    expect(stderr).toContain('needs write permission');
  });
});

function isFile(path: string): boolean {
  try {
    readFileSync(path);
    return true;
  } catch {
    return false;
  }
}
