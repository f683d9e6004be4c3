import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { strToU8, zipSync } from 'fflate';
import type { Browser, BrowserContext } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type PageServer, servePage, writePage } from '../../src/faces/servers/page/page-server.ts';
import { open } from '../../src/use/trained/node/open.ts';
import { newFolder } from '../support/new-folder.ts';
import { tinyRows } from '../support/tiny-data.ts';
import { writeImageModel } from '../support/tiny-images.ts';
import { writeTinyModel } from '../support/tiny-model.ts';
import { writeTinyTextModel } from '../support/tiny-text-model.ts';
import { CHROMIUM, LOOKS, launch, misfits, NO_CHROMIUM, openPage, photograph } from './support/browser.ts';
import { PageUser } from './support/page-user.ts';

/** Takes seconds on an idle machine. */
const SLOWLY = { timeout: 400_000 };
const NAME = 'tiny/encoder';
const TEXTS = ['the cat sat very good.', 'the fish, the bird flew bad.'];

const folder = newFolder();
const encoder = join(folder, 'small-encoder');
const rows = join(folder, 'rows.csv');
let server: PageServer;
let browser: Browser;
beforeAll(async () => {
  writeTinyModel(encoder);
  // As sentence-transformers writes it. The config below it is not the model's.
  mkdirSync(join(encoder, '1_Pooling'));
  writeFileSync(join(encoder, '1_Pooling', 'config.json'), '{"pooling_mode_cls_token": true}');
  const modules = ['Transformer', 'Pooling'].map((kind, i) => ({
    path: i === 0 ? '' : `${i}_${kind}`,
    type: `sentence_transformers.models.${kind}`,
  }));
  writeFileSync(join(encoder, 'modules.json'), JSON.stringify(modules));
  const lines = tinyRows(60, 1).map(({ text, label }) => `"${text}",${label}`);
  writeFileSync(rows, ['sentence,quality', ...lines].join('\n'));
  server = await servePage(0);
  if (CHROMIUM) browser = await launch();
});
afterAll(async () => {
  await browser?.close();
  server?.server.close();
});

/** The files of a folder, by their paths below it. */
function filesOf(path: string): Record<string, Uint8Array> {
  const names = readdirSync(path, { recursive: true, encoding: 'utf8' }).filter((name) =>
    /\.\w+$/.test(name),
  );
  return Object.fromEntries(names.map((name) => [name, readFileSync(join(path, name))]));
}

it('the page of a static host contains an encoder with its pooling, and its size', () => {
  const site = join(folder, 'site');
  writePage(site, { name: NAME, folder: encoder });
  expect(Object.keys(filesOf(join(site, 'models', 'served'))).sort()).toEqual(
    Object.keys(filesOf(encoder)).sort(),
  );
  const bytes = Object.values(filesOf(encoder)).reduce((sum, { length }) => sum + length, 0);
  expect(JSON.parse(readFileSync(join(site, 'models.json'), 'utf8'))).toEqual({ served: NAME, bytes });
  const bare = join(folder, 'bare');
  writeTinyModel(bare);
  rmSync(join(bare, 'model.safetensors'));
  expect(() => writePage(join(folder, 'other'), { name: 'bare', folder: bare })).toThrow(
    'bare has no model.safetensors, which a page reads',
  );
});

describe.skipIf(CHROMIUM === undefined)(`encoders in the page (${CHROMIUM ?? NO_CHROMIUM})`, () => {
  it('of a folder learn texts and are named, and Node predicts the same with them', SLOWLY, async () => {
    const { page, complaints, strayed } = await openPage(browser, server.url, LOOKS[0]);
    const user = new PageUser(page);
    expect(await user.choose(rows)).toBe('');
    expect(await page.getByLabel('Model to train').inputValue()).toBe('the built-in one');
    await page.getByLabel('Model to train').selectOption('your own files');
    await page.getByLabel('Or the folder with these files').setInputFiles(encoder);
    await page.getByText('Trained model: 0.1 MB in your files.').waitFor();
    expect(await page.getByLabel('Its name').inputValue()).toBe('small-encoder');
    await page.getByLabel('Its name').fill(NAME);
    expect(await misfits(page)).toEqual([]);
    await photograph(page, 'encoder-chosen');
    await user.train(2);
    const score = await user.score();
    expect(score).toMatch(/^Correct on [\d.]+ % of rows/);
    expect(await page.locator('#training-note').textContent()).toContain(`Model: ${NAME}.`);
    expect(await page.locator('#outcome-model').textContent()).toContain(`The adapter is for ${NAME}.`);
    await predictsAsInNode(user, join(folder, 'adapter'));
    await page.reload();
    await page.getByText(`This browser has a training of ${NAME} on rows.csv, saved at step`).waitFor();
    await page.getByRole('button', { name: 'Continue' }).click();
    expect(await user.score()).toBe(score);
    expect(complaints).toEqual([]);
    expect(strayed.filter((url) => !url.startsWith('blob:'))).toEqual([]);
    await page.context().close();
  });

  it('that the page is served with learn by default, and a run asks for a missing one', SLOWLY, async () => {
    const first = await servePage(0, { name: NAME, folder: encoder });
    const { port } = first.server.address() as AddressInfo;
    const { page, complaints, strayed } = await openPage(browser, first.url, LOOKS[3]);
    const user = new PageUser(page);
    expect(await user.choose(rows)).toBe('');
    expect(await page.locator('#served-model').textContent()).toBe(
      `Trained model: ${NAME}, which is served with this page (0.1 MB).`,
    );
    await user.train(2);
    await user.score();
    await predictsAsInNode(user, join(folder, 'served-adapter'));
    expect(strayed.filter((url) => !url.startsWith('blob:'))).toEqual([]);
    first.server.close();
    first.server.closeAllConnections();
    const second = await servePage(port);
    await page.reload();
    await page.getByRole('button', { name: 'Continue' }).click();
    await page.getByText(`npx adalora web --model ${NAME}`).first().waitFor();
    expect(complaints).toEqual([]);
    second.server.close();
    await page.context().close();
  });

  it('of the Hub tell their size, are kept in the browser and learn texts', SLOWLY, async () => {
    const { page, complaints } = await openPage(browser, server.url, LOOKS[0]);
    const asked = await standInForHub(page.context());
    const user = new PageUser(page);
    await user.choose(rows);
    const opening = page.context().waitForEvent('page');
    await page.getByRole('link', { name: 'Download another from the Hub' }).click();
    const tab = await opening;
    // Such a name is no model.
    for (const [name, message] of [
      ['tiny/other', 'could not be fetched (status 404). Check the spelling.'],
      ['not a name', 'is not the name of a model on the Hub'],
      ['tiny/decoder', 'is that of a model that writes text (llama)'],
    ] as const) {
      await tab.getByLabel('The model’s name').fill(name);
      await tab.getByRole('button', { name: 'Look it up' }).click();
      await tab.locator('#problem', { hasText: message }).waitFor();
    }
    await tab.getByLabel('The model’s name').fill(NAME);
    await tab.getByRole('button', { name: 'Look it up' }).click();
    await tab.getByText(`${NAME} reads texts. Its 6 files have 0.1 MB.`).waitFor();
    expect(asked.filter((path) => path.endsWith('.safetensors'))).toEqual([]);
    asked.damages = true;
    await tab.getByRole('button', { name: 'Download 0.1 MB' }).click();
    await tab.getByText('was damaged on the way').waitFor();
    asked.damages = false;
    await tab.getByRole('button', { name: 'Download 0.1 MB' }).click();
    await tab.getByText(`${NAME} is kept in this browser.`).waitFor();
    await photograph(tab, 'hub');
    expect(await misfits(tab)).toEqual([]);
    // This tab, like the other one, sends nothing to anyone else.
    const send = () =>
      fetch('https://example.org/', { method: 'POST', mode: 'no-cors' }).then(
        () => 1,
        () => 0,
      );
    expect(await tab.evaluate(send)).toBe(0);
    await tab.close();

    await page
      .locator('#served-model', { hasText: `${NAME}, which is kept in this browser (0.1 MB)` })
      .waitFor();
    // The tab that trains cannot even read from the Hub.
    const read = () =>
      fetch('https://huggingface.co/').then(
        () => 1,
        () => 0,
      );
    expect(await page.evaluate(read)).toBe(0);
    expect(await page.workers()[0]!.evaluate(read)).toBe(0);
    const before = asked.length;
    complaints.length = 0;
    await user.train(2);
    const score = await user.score();
    await predictsAsInNode(user, join(folder, 'hub-adapter'));
    await page.reload();
    await page.getByText(`This browser has a training of ${NAME} on rows.csv`).waitFor();
    await page.getByRole('button', { name: 'Continue' }).click();
    expect(await user.score()).toBe(score);
    expect(asked).toHaveLength(before);
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  it('of a zip are taken, and other models are refused with what to do', SLOWLY, async () => {
    const { page, complaints } = await openPage(browser, server.url, LOOKS[0]);
    const user = new PageUser(page);
    await user.choose(rows);
    await page.getByLabel('Model to train').selectOption('your own files');
    const made = (name: string, write: (path: string) => void, without?: string) => {
      const path = join(folder, name);
      write(path);
      if (without !== undefined) rmSync(join(path, without));
      return path;
    };
    const models: [path: string, message: string][] = [
      [
        made('decoder', (path) => writeTinyTextModel(path, 'llama')),
        'decoder/config.json is that of a model that writes text (llama). The page trains encoders',
      ],
      [made('speechless', writeTinyModel, 'tokenizer.json'), 'tokenizer.json'],
      [made('weightless', writeTinyModel, 'model.safetensors'), 'weightless has no model.safetensors'],
      [made('nameless', writeTinyModel, 'config.json'), 'config.json does not exist'],
      [
        made('seeing', writeImageModel),
        'seeing is a model that reads pictures, but the rows are texts. Choose a model that reads texts.',
      ],
      [
        made('adapter-alone', (path) => {
          mkdirSync(path);
          writeFileSync(join(path, 'adapter_config.json'), '{}');
          writeFileSync(join(path, 'adapter_model.safetensors'), '');
        }),
        'is an adapter, not a whole model. Choose the base model that it names.',
      ],
    ];
    for (const [path, message] of models) {
      await page.getByLabel('Or the folder with these files').setInputFiles(path);
      await page.locator('#model-problem', { hasText: message }).waitFor();
    }
    // The form is not sent with such a model.
    await page.getByRole('button', { name: 'Train', exact: true }).click();
    expect(await page.locator('#training').isVisible()).toBe(false);
    const zip = join(folder, 'zipped.zip');
    const packed = Object.entries(filesOf(encoder)).map(
      ([name, bytes]) => [`zipped/${name}`, bytes] as const,
    );
    writeFileSync(zip, zipSync({ ...Object.fromEntries(packed), 'zipped/README.md': strToU8('no model') }));
    await page.getByLabel('Encoder: config.json').setInputFiles(zip);
    await page.getByText('Trained model: 0.1 MB in your files.').waitFor();
    expect(await page.locator('#model-problem').textContent()).toBe('');
    await page.getByLabel('Its name').fill(NAME);
    await user.train(1);
    expect(await user.score()).toMatch(/^Correct on/);
    expect(complaints).toEqual([]);
    await page.context().close();
  });
});

/** Downloads the adapter, which names its base, and compares its predictions with those of the page. */
async function predictsAsInNode(user: PageUser, adapter: string): Promise<void> {
  await user.download('Download the adapter', adapter);
  const config = JSON.parse(readFileSync(join(adapter, 'adapter_config.json'), 'utf8'));
  expect(config.base_model_name_or_path).toBe(NAME);
  await using model = await open(adapter, { device: 'wasm', model: encoder });
  for (const text of TEXTS) {
    const [[label, percent]] = (await user.ask(text)) as [[string, number]];
    for await (const answer of model.predict([{ text }])) {
      expect(label).toBe(answer.label);
      // Rounded as in the page.
      expect(Math.abs(percent - 100 * Math.max(...Object.values(answer.probabilities)))).toBeLessThan(0.06);
    }
  }
}

/** Answers a context's requests to the Hub, which has two models. Returns the requested paths. */
async function standInForHub(context: BrowserContext): Promise<string[] & { damages?: boolean }> {
  const asked: string[] & { damages?: boolean } = [];
  const decoder = join(folder, 'hub-decoder');
  writeTinyTextModel(decoder, 'llama');
  const models: Record<string, Record<string, Uint8Array>> = {
    [NAME]: { ...filesOf(encoder), 'README.md': strToU8('no part of it') },
    'tiny/decoder': filesOf(decoder),
  };
  const commit = 'c'.repeat(40);
  await context.route('https://huggingface.co/**', async (route) => {
    const { pathname } = new URL(route.request().url());
    asked.push(pathname);
    const headers = { 'access-control-allow-origin': '*' };
    for (const [name, files] of Object.entries(models)) {
      const siblings = Object.entries(files).map(([rfilename, bytes]) => ({
        rfilename,
        size: bytes.length,
        ...(rfilename.endsWith('.safetensors') && {
          lfs: { sha256: createHash('sha256').update(bytes).digest('hex') },
        }),
      }));
      if (pathname === `/api/models/${name}/revision/main`)
        return route.fulfill({ headers, json: { sha: commit, siblings } });
      const content = files[pathname.slice(`/${name}/resolve/${commit}/`.length)];
      if (!pathname.startsWith(`/${name}/resolve/${commit}/`) || !content) continue;
      const isDamaged = asked.damages && pathname.endsWith('.safetensors');
      return route.fulfill({ headers, body: Buffer.from(isDamaged ? content.toReversed() : content) });
    }
    return route.fulfill({ headers, status: 404 });
  });
  return asked;
}
