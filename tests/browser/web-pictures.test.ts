import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { strToU8, zipSync } from 'fflate';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { largestDifference } from '../../scripts/conformance/compare.ts';
import { type PageServer, servePage, writePage } from '../../src/faces/servers/page/page-server.ts';
import { decodeImage } from '../../src/input/media/images/node/decode-image.ts';
import { ImageProcessor } from '../../src/input/media/images/processor.ts';
import { open } from '../../src/use/trained/node/open.ts';
import { newFolder } from '../support/new-folder.ts';
import { TINY_PROCESSOR, writeImageModel, writeImages } from '../support/tiny-images.ts';
import { CHROMIUM, LOOKS, launch, misfits, NO_CHROMIUM, openPage } from './support/browser.ts';
import { PageUser } from './support/page-user.ts';

/** Takes seconds on an idle machine. */
const SLOWLY = { timeout: 400_000 };
const FIXTURES = 'src/input/media/images/fixtures/files';
const MODEL = 'tiny/pictures';
const MODEL_FILES = ['config.json', 'preprocessor_config.json', 'model.safetensors'];

const folder = newFolder();
let photos: string;
let server: PageServer;
let browser: Browser;
beforeAll(async () => {
  photos = join(folder, 'photos');
  await writeImages(photos);
  writeImageModel(join(folder, 'model'));
  server = await servePage(0, { name: MODEL, folder: join(folder, 'model') });
  // A camera that shows a moving picture, which needs no consent.
  if (CHROMIUM)
    browser = await launch('--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream');
});
afterAll(async () => {
  await browser?.close();
  server?.server.close();
});

/** Zips the files of a folder. */
function zipped(name: string, files: Record<string, Uint8Array>, level: 0 | 9): string {
  const path = join(folder, name);
  writeFileSync(path, zipSync(files, { level }));
  return path;
}

function filesOf(path: string): Record<string, Uint8Array> {
  const names = readdirSync(path, { recursive: true, encoding: 'utf8' }).filter((name) =>
    /\.\w+$/.test(name),
  );
  return Object.fromEntries(names.map((name) => [`photos/${name}`, readFileSync(join(path, name))]));
}

it('the files of a page for a static host contain the model and its name', () => {
  const site = join(folder, 'site');
  writePage(site, { name: MODEL, folder: join(folder, 'model') });
  expect(readdirSync(join(site, 'models', 'served')).sort()).toEqual(MODEL_FILES.toSorted());
  expect(JSON.parse(readFileSync(join(site, 'models.json'), 'utf8'))).toMatchObject({ served: MODEL });
});

describe.skipIf(CHROMIUM === undefined)(`pictures in the page (${CHROMIUM ?? NO_CHROMIUM})`, () => {
  it(
    'of a folder are learned, tried and downloaded without requests to others, and Node predicts the same',
    SLOWLY,
    async () => {
      const { page, complaints, strayed } = await openPage(browser, server.url, LOOKS[0]);
      const user = new PageUser(page);
      expect(await user.choose(photos, 'Or a folder')).toBe('');
      expect(await page.locator('#file-facts').textContent()).toBe('photos: 24 pictures.');
      expect(await page.locator('#served-model').textContent()).toContain(MODEL);
      const drawn = '#preview img[src^="data:image/bmp"]';
      await page.waitForFunction((drawn) => document.querySelectorAll(drawn).length === 18, drawn);
      await user.train(2);
      const picture = join(photos, 'blue', '3.png');
      // The probe answers while the model is trained.
      const [probed] = await user.show(picture);
      expect(['red', 'green', 'blue']).toContain(probed![0]);
      const score = await user.score();
      expect(score).toMatch(/^Correct on [\d.]+ % of pictures that it has not seen\.$/);
      expect(await page.locator('#score-note').textContent()).toContain('a linear model of 16 x 16 pixels');

      const adapter = join(folder, 'adapter');
      expect(await user.download('Download the adapter', adapter)).toBe('photos-adapter.zip');
      const site = join(folder, 'onnx');
      await user.download('Download the model as ONNX', site);
      const session = await InferenceSession.create(join(site, 'onnx/model.onnx'));
      await using model = await open(adapter, { device: 'wasm', model: join(folder, 'model') });
      const processor = new ImageProcessor(TINY_PROCESSOR, 'preprocessor_config.json', 'vit');
      for (const name of ['red/1.png', 'blue/7.png']) {
        const image = readFileSync(join(photos, name));
        const [[label, percent]] = (await user.show(join(photos, name))) as [[string, number]];
        const values = new Float32Array(3 * 12 * 12);
        processor.write(
          processor.center(await processor.resized(await decodeImage(image, name), name)),
          values,
          0,
        );
        const { logits } = await session.run({ pixel_values: new Tensor(values, [1, 3, 12, 12]) });
        for await (const answer of model.predict<object>([{ text: name, image }])) {
          expect(label).toBe(answer.label);
          // Rounded as in the page.
          expect(Math.abs(percent - 100 * Math.max(...Object.values(answer.probabilities)))).toBeLessThan(
            0.06,
          );
          // The layer's sums are in float32 there, and in float64 here.
          (logits!.data as Float32Array).forEach((logit, i) =>
            expect(Math.abs(logit - answer.logits[i]!)).toBeLessThan(1e-4),
          );
        }
      }
      // The card in the archive and the page show what is wrong as pictures.
      const wrong = await page.locator('#classes .wrong img').count();
      const right = Number(/[\d.]+/.exec(score)![0]);
      expect(wrong > 0).toBe(right < 100);
      expect(readFileSync(join(adapter, 'README.md'), 'utf8').includes('![](data:image/bmp')).toBe(wrong > 0);
      await page.getByRole('button', { name: 'Use the camera' }).click();
      await page.locator('#tried-camera').waitFor();
      await page.locator('#look', { hasText: 'Take a picture' }).click();
      await page.locator('#answer li').first().waitFor();
      for (const width of [1280, 390]) {
        await page.setViewportSize({ width, height: 900 });
        expect(await misfits(page)).toEqual([]);
      }
      expect(complaints).toEqual([]);
      expect(strayed.filter((url) => !url.startsWith('blob:'))).toEqual([]);

      // Another tab has the pictures, too.
      await page.reload();
      await page.getByRole('button', { name: 'Continue' }).click();
      expect(await user.score()).toBe(score);
      await page.context().close();
    },
  );

  it('of a zip are learned with the files of a model that the user chooses', SLOWLY, async () => {
    const alone = await servePage(0);
    const { page, complaints } = await openPage(browser, alone.url, LOOKS[3]);
    const user = new PageUser(page);
    for (const level of [0, 9] as const) {
      expect(await user.choose(zipped(`photos-${level}.zip`, filesOf(photos), level))).toBe('');
      expect(await page.locator('#file-facts').textContent()).toBe('photos: 24 pictures.');
    }
    await page.getByLabel('Or the folder with these files').setInputFiles(join(folder, 'model'));
    await page.getByLabel('Its name').fill(MODEL);
    await user.train(2);
    expect(await user.score()).toMatch(/^Correct on [\d.]+ % of pictures/);
    const adapter = join(folder, 'adapter-of-zip');
    await user.download('Download the adapter', adapter);
    const config = JSON.parse(readFileSync(join(adapter, 'adapter_config.json'), 'utf8'));
    expect(config.base_model_name_or_path).toBe(MODEL);
    expect(complaints).toEqual([]);
    alone.server.close();
    await page.context().close();
  });

  it('in the rows of a parquet file are shown, and a damaged one is named', async () => {
    const { page, complaints } = await openPage(browser, server.url, LOOKS[0]);
    const user = new PageUser(page);
    await user.choose('src/input/data/parquet/fixtures/images.parquet');
    expect(await page.locator('#file-facts').textContent()).toContain('10 rows of 4 columns.');
    expect(await page.locator('#preview figcaption').allTextContents()).toEqual(['blue', 'red']);
    const drawn = '#preview img[src^="data:image/bmp"]';
    await page.waitForFunction((drawn) => document.querySelectorAll(drawn).length === 8, drawn);
    await page
      .locator('#choice-problem', { hasText: 'd.png is not a JPEG, PNG, WebP or GIF file' })
      .waitFor();
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  it('are decoded as in Node', async () => {
    const { outputFiles } = await build({
      entryPoints: ['src/faces/web/decoders.ts'],
      bundle: true,
      format: 'iife',
      globalName: 'decoder',
      write: false,
    });
    const page = await browser.newPage();
    await page.addScriptTag({ content: outputFiles[0]!.text });
    const decodeInPage = (name: string) =>
      page.evaluate(
        async (bytes) => {
          const { decoder } = globalThis as unknown as { decoder: { decodeImage: typeof decodeImage } };
          const { width, height, data } = await decoder.decodeImage(Uint8Array.from(bytes), 'x');
          return { width, height, data: [...data] };
        },
        [...readFileSync(join(FIXTURES, name))],
      );
    await expect(decodeInPage('deep.png')).rejects.toThrow(
      'a browser does not read grey of 16 bits as Python does',
    );
    for (const name of readdirSync(FIXTURES)) {
      if (name === 'deep.png') continue;
      const theirs = await decodeInPage(name);
      const ours = await decodeImage(readFileSync(join(FIXTURES, name)), name);
      expect([theirs.width, theirs.height]).toEqual([ours.width, ours.height]);
      // Browsers put transparency on white, and convert inks, with other rounding.
      expect(largestDifference(theirs.data, ours.data), name).toBeLessThanOrEqual(1);
    }
    await page.close();
  });

  it('come from the camera, class by class', SLOWLY, async () => {
    const { page, complaints } = await openPage(browser, server.url, LOOKS[0]);
    await page.getByText('Or take pictures with the camera').click();
    const take = page.getByRole('button', { name: 'Take a picture' }).first();
    for (const label of ['near', 'far/away']) {
      await page.getByLabel('Class', { exact: true }).fill(label);
      for (let i = 0; i < 6; i++) await take.click();
    }
    await page.getByText('far-away: 6 pictures').waitFor();
    await page.getByRole('button', { name: 'Use these pictures' }).click();
    await page.waitForFunction(() => !document.querySelector<HTMLButtonElement>('#train')!.disabled);
    expect(await page.locator('#file-facts').textContent()).toContain('12 pictures');
    expect(await page.locator('#camera').isVisible()).toBe(false);
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  it('are dropped as a folder', async () => {
    const { page, complaints } = await openPage(browser, server.url, LOOKS[0]);
    const session = await page.context().newCDPSession(page);
    const data = { items: [], files: [photos], dragOperationsMask: 1 };
    for (const type of ['dragEnter', 'dragOver', 'drop'] as const)
      await session.send('Input.dispatchDragEvent', { type, x: 300, y: 300, data });
    await page.getByText('photos: 24 pictures.').waitFor();
    expect(await page.locator('#preview figcaption').allTextContents()).toEqual(['blue', 'green', 'red']);
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  it('that are hostile are a short message with their name', SLOWLY, async () => {
    const { page } = await openPage(browser, server.url, LOOKS[0]);
    const user = new PageUser(page);
    const whole = readFileSync(join(photos, 'red', '1.png'));
    // The header of a picture with 10 billion pixels.
    const bomb = new Uint8Array(whole);
    new DataView(bomb.buffer).setUint32(16, 100_000);
    new DataView(bomb.buffer).setUint32(20, 100_000);
    const files = filesOf(photos);
    for (const [name, bytes, message] of [
      ['bomb', bomb, 'red/0.png has 100000 x 100000 pixels'],
      ['truncated', whole.subarray(0, whole.length / 2), 'red/0.png cannot be decoded'],
      ['text', strToU8('no picture'), 'red/0.png is not'],
    ] as const) {
      await user.choose(zipped(`${name}.zip`, { ...files, 'photos/red/0.png': bytes }, 0));
      await page.locator('#choice-problem', { hasText: message }).waitFor();
      await user.train(1);
      await page.locator('#training-problem', { hasText: message }).waitFor();
    }
    await page.reload();
    // An entry that unpacks to more than a picture may have.
    const large = new Uint8Array(100_000_001);
    expect(await user.choose(zipped('large.zip', { 'a/1.png': large }, 9))).toMatch(
      /^large\.zip: a\/1\.png has more than 100000000 bytes/,
    );
    const many = Object.fromEntries(Array.from({ length: 1001 }, (_, i) => [`a/${i}.png`, Uint8Array.of(1)]));
    expect(await user.choose(zipped('many.zip', many, 9))).toMatch(/^many\.zip has 1001 pictures/);
    const zip = readFileSync(join(folder, 'text.zip'));
    writeFileSync(join(folder, 'cut.zip'), zip.subarray(0, zip.length - 200));
    expect(await user.choose(join(folder, 'cut.zip'))).toContain(
      'cut.zip has no end record of a zip archive',
    );
    await page.context().close();
  });
});
