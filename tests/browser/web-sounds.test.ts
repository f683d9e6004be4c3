import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { largestDifference } from '../../scripts/conformance/compare.ts';
import { type PageServer, servePage } from '../../src/faces/servers/page/page-server.ts';
import type { decodeSound as DecodeSound } from '../../src/faces/web/decoders.ts';
import { decodeSound } from '../../src/input/media/sounds/node/decode-sound.ts';
import { open } from '../../src/use/trained/node/open.ts';
import { writeSpeechModel } from '../support/tiny-speech.ts';
import { writeTone } from '../support/write-tone.ts';
import { CHROMIUM, LOOKS, launch, misfits, NO_CHROMIUM, openPage } from './support/browser.ts';
import { PageUser } from './support/page-user.ts';

/** Takes seconds on an idle machine. */
const SLOWLY = { timeout: 400_000 };
const FIXTURES = 'src/input/media/sounds/fixtures';
const MODEL = 'tiny/speech';
const WORDS = ['low', 'mid', 'hum', 'no', 'old', 'yes', 'my', 'an', 'ad', 'ox'];

let folder: string;
let server: PageServer;
let browser: Browser;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'adalora-'));
  writeSpeechModel(join(folder, 'model'));
  for (const [label, hertz] of Object.entries({ low: 300, middle: 1500, high: 5000 })) {
    mkdirSync(join(folder, 'sounds', label), { recursive: true });
    for (let i = 0; i < 8; i++)
      writeFileSync(
        join(folder, 'sounds', label, `${i}.wav`),
        writeTone(hertz * (1 + i / 40), 0.06 + i / 200),
      );
  }
  mkdirSync(join(folder, 'clips'));
  const rows = WORDS.map((word, i) => {
    writeFileSync(join(folder, 'clips', `${i}.wav`), writeTone(300 + 700 * i, 0.1));
    return `${i}.wav,${word}\n`;
  });
  writeFileSync(join(folder, 'clips', 'metadata.csv'), `file_name,text\n${rows.join('')}`);
  writeFileSync(join(folder, 'heard.wav'), writeTone(440, 2));
  server = await servePage(0, { name: MODEL, folder: join(folder, 'model') });
  if (CHROMIUM)
    browser = await launch(
      '--use-fake-device-for-media-stream',
      '--use-fake-ui-for-media-stream',
      `--use-file-for-fake-audio-capture=${join(folder, 'heard.wav')}`,
    );
});
afterAll(async () => {
  await browser?.close();
  server?.server.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Holds a button until it has recorded a sound, by the space bar or the pointer. */
async function hold(page: Page, id: string, by: Page['keyboard'] | Page['mouse']): Promise<void> {
  await page.locator(`#${id}:enabled`).waitFor();
  await ('press' in by ? by.down('Space') : by.down());
  await page.waitForFunction((id) => Number(document.getElementById(id)!.dataset.seconds) > 0.3, id);
  await ('press' in by ? by.up('Space') : by.up());
  await page.locator(`#${id}-line`, { hasText: 'Recorded' }).waitFor();
}

describe.skipIf(CHROMIUM === undefined)(`sounds in the page (${CHROMIUM ?? NO_CHROMIUM})`, () => {
  it(
    'of class folders are learned and labeled, also from the microphone, and Node predicts the same',
    SLOWLY,
    async () => {
      const { page, complaints, strayed } = await openPage(browser, server.url, LOOKS[0]);
      const user = new PageUser(page);
      expect(await user.choose(join(folder, 'sounds'), 'Or a folder')).toBe('');
      expect(await page.locator('#file-facts').textContent()).toBe('sounds: 24 sounds.');
      expect(await page.locator('#served-model').textContent()).toContain(MODEL);
      const drawn = '#preview img[src^="data:image/bmp"]';
      await page.waitForFunction((drawn) => document.querySelectorAll(drawn).length === 18, drawn);
      await user.train(2);
      expect(await user.score()).toMatch(/^Correct on [\d.]+ % of sounds that it has not seen\.$/);
      const adapter = join(folder, 'adapter');
      expect(await user.download('Download the adapter', adapter)).toBe('sounds-adapter.zip');
      await using model = await open(adapter, { device: 'wasm', model: join(folder, 'model') });
      for (const name of ['low/1.wav', 'high/7.wav']) {
        const audio = readFileSync(join(folder, 'sounds', name));
        const [[label, percent]] = (await user.show(join(folder, 'sounds', name), 'Choose a sound')) as [
          [string, number],
        ];
        for await (const answer of model.predict<object>([{ text: name, audio }])) {
          expect(label).toBe(answer.label);
          // Rounded as in the page.
          expect(Math.abs(percent - 100 * Math.max(...Object.values(answer.probabilities)))).toBeLessThan(
            0.06,
          );
        }
      }
      await page.getByRole('button', { name: 'Use the microphone' }).click();
      await page.locator('#speak:enabled').waitFor();
      await page.locator('#score').click();
      await hold(page, 'speak', page.keyboard);
      await page.locator('#answer li').first().waitFor();
      for (const width of [1280, 390]) {
        await page.setViewportSize({ width, height: 900 });
        expect(await misfits(page)).toEqual([]);
      }
      expect(complaints).toEqual([]);
      expect(strayed.filter((url) => !url.startsWith('blob:'))).toEqual([]);
      await page.context().close();
    },
  );

  it('with transcripts are learned with a model folder that the user chooses', SLOWLY, async () => {
    const alone = await servePage(0);
    const { page, complaints } = await openPage(browser, alone.url, LOOKS[3]);
    const user = new PageUser(page);
    // The page tells the folder of a model from others.
    await page.getByLabel('Or a folder of pictures').setInputFiles(join(folder, 'model'));
    await page.getByText(/^The model is chosen: .*model.safetensors/).waitFor();
    expect(await user.choose(join(folder, 'clips'), 'Or a folder')).toBe('');
    expect(await page.locator('#counts').textContent()).toMatch(
      /^10 different transcripts\.7 sounds to train on, 3 held out/,
    );
    await page.getByLabel('Its name').fill(MODEL);
    await user.train(30);
    expect(await user.score()).toMatch(/^Writes [\d.]+ % of the words wrong in 3 held-out sounds\.$/);
    const clip = join(folder, 'clips', '1.wav');
    await page.getByLabel('Choose a sound').setInputFiles(clip);
    const shown = await page.locator('#answer .asked').textContent();
    const adapter = join(folder, 'adapter-of-clips');
    await user.download('Download the adapter', adapter);
    await user.download('Download the model as ONNX', join(folder, 'onnx'));
    expect(readdirSync(join(folder, 'onnx', 'onnx')).sort()).toContain('encoder_model.onnx');
    await using model = await open(adapter, { device: 'wasm', model: join(folder, 'model') });
    for await (const { text } of model.predict<object, { text: string }>([
      { text: '1.wav', audio: readFileSync(clip) },
    ]))
      expect(shown).toBe(text);
    expect(complaints).toEqual([]);
    alone.server.close();
    await page.context().close();
  });

  it('come from the microphone, class by class and sentence by sentence', SLOWLY, async () => {
    const { page, complaints } = await openPage(browser, server.url, LOOKS[2]);
    await page.getByText('Or record sounds with the microphone').click();
    await page.locator('#record:enabled').waitFor();
    for (const label of ['near', 'far/away']) {
      await page.locator('#sound-name').fill(label);
      await page.locator('#record').focus();
      for (let i = 0; i < 5; i++) await hold(page, 'record', page.keyboard);
    }
    await page.getByText('far-away: 5 sounds').waitFor();
    await page.getByRole('button', { name: 'Use these sounds' }).click();
    await page.locator('#train:enabled').waitFor();
    expect(await page.locator('#file-facts').textContent()).toContain('10 sounds');

    await page.getByText('Or read ten sentences aloud').click();
    await page.locator('#read:enabled').waitFor();
    const said: string[] = [];
    for (let i = 0; i < 6; i++) {
      said.push((await page.locator('#sentence').textContent())!);
      const box = (await page.locator('#read').boundingBox())!;
      await page.mouse.move(box.x + 5, box.y + 5);
      await hold(page, 'read', page.mouse);
    }
    expect(new Set(said).size).toBe(6);
    expect(await misfits(page)).toEqual([]);
    await page.getByRole('button', { name: 'Record the last one again' }).click();
    expect(await page.locator('#sentence').textContent()).toBe(said[5]);
    await page.getByRole('button', { name: 'Use these recordings (5 of 10)' }).click();
    await page.getByText('recordings: 5 rows of 2 columns.').waitFor();
    expect(await page.locator('#preview figcaption').allTextContents()).toEqual(said.slice(0, 5));
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
    const decodeInPage = (bytes: Uint8Array, name: string) =>
      page.evaluate(
        async ([bytes, name]) => {
          const { decoder } = globalThis as unknown as { decoder: { decodeSound: typeof DecodeSound } };
          return [...(await decoder.decodeSound(Uint8Array.from(bytes), name))];
        },
        [[...bytes], name] as const,
      );
    for (const name of readdirSync(FIXTURES).filter((name) => !name.endsWith('.safetensors'))) {
      const bytes = readFileSync(join(FIXTURES, name));
      const theirs = await decodeInPage(bytes, name);
      const ours = await decodeSound(bytes, name);
      // Chromium leaves out the last 2 ms of a Vorbis file, whose samples the filter mixes with those before.
      const end = name === 'vorbis.ogg' ? ours.length - 60 : ours.length;
      expect(theirs.length).toBeGreaterThanOrEqual(end);
      expect(ours.length - theirs.length).toBeLessThan(0.002 * 16_000);
      // Decoders divide the integers of FLAC by different numbers.
      const limit = name === 'flac.flac' ? 2e-5 : 1e-6;
      expect(largestDifference(theirs.slice(0, end), ours.subarray(0, end)), name).toBeLessThan(limit);
    }
    const flac = readFileSync(join(FIXTURES, 'flac.flac'));
    await expect(
      decodeInPage(
        flac.map((byte, i) => (i > 60 ? 0 : byte)),
        'x.flac',
      ),
    ).rejects.toThrow(/x\.flac (cannot be decoded|has no samples)/);
    await page.close();
  });
});
