import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { servePage } from '../../src/faces/servers/page/page-server.ts';
import { CHROMIUM, LOOKS, launch, openPage, photograph } from './support/browser.ts';
import { PageUser } from './support/page-user.ts';
import { watchMemory } from './support/watch-memory.ts';

const MODEL = '../shared/models/whisper-tiny.en';
const SPEECH = '../shared/data/speech/en';
const LACKING = [MODEL, SPEECH].filter((path) => !existsSync(path));
const REASON = LACKING.length > 0 ? `without ${LACKING.join(' and ')}` : 'with LONG_TESTS=1';

/** Number of clips. A file of ten is like the sentences that the page shows. */
const CLIPS = Number(process.env.CLIPS ?? 60);

// Minutes: LONG_TESTS=1 npx vitest run tests/browser/web-speech.test.ts
it.skipIf(!process.env.LONG_TESTS || !CHROMIUM || LACKING.length > 0)(
  `Whisper tiny.en learns transcripts in the page (${REASON})`,
  { timeout: 3_600_000 },
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'adalora-'));
    const { url, server } = await servePage(0, { name: 'openai/whisper-tiny.en', folder: MODEL });
    const clip = join(SPEECH, 'validation', 'vm-newpassword.wav');
    const browser = await launch(
      '--use-fake-device-for-media-stream',
      '--use-fake-ui-for-media-stream',
      `--use-file-for-fake-audio-capture=${join(process.cwd(), clip)}`,
    );
    const memory = watchMemory();
    try {
      const { page, complaints } = await openPage(browser, url, LOOKS[0]);
      const user = new PageUser(page);
      const startedAt = performance.now();
      const tell = (what: string) =>
        console.log(
          `${what} After ${((performance.now() - startedAt) / 1000).toFixed(0)} s, ${memory.peak()} MB.`,
        );
      const [head, ...rows] = readFileSync(join(SPEECH, 'train', 'metadata.csv'), 'utf8').split('\n');
      const clips = join(folder, 'clips');
      mkdirSync(clips);
      writeFileSync(join(clips, 'metadata.csv'), [head, ...rows.slice(0, CLIPS)].join('\n'));
      for (const row of rows.slice(0, CLIPS).filter(Boolean)) {
        const [name] = row.split(',') as [string];
        copyFileSync(join(SPEECH, 'train', name), join(clips, name));
      }
      expect(await user.choose(clips, 'Or a folder')).toBe('');
      await photograph(page, 'speech-chosen');
      tell((await page.locator('#counts').textContent())!);
      await user.train(process.env.EPOCHS ? Number(process.env.EPOCHS) : undefined);
      await page.getByText(/^(Step \d+ of|Done)/).waitFor({ timeout: 0 });
      tell('The states of the encoder are computed.');
      await photograph(page, 'speech-training');
      tell(`${await user.score()} ${await page.locator('#score-note').textContent()}`);
      const asked = performance.now();
      await page.getByLabel('Choose a sound').setInputFiles(clip);
      await page.locator('#answer .asked').waitFor();
      const transcript = await page.locator('#answer .asked').textContent();
      tell(`${transcript} (${((performance.now() - asked) / 1000).toFixed(1)} s.)`);
      await page.getByRole('button', { name: 'Use the microphone' }).click();
      await page.locator('#speak:enabled').waitFor();
      await page.locator('#score').click();
      await page.keyboard.down('Space');
      await page.waitForTimeout(3000);
      await page.keyboard.up('Space');
      const spoken = performance.now();
      await page.locator('#answer .asked').waitFor({ state: 'detached' });
      await page.locator('#answer .asked').waitFor();
      tell(
        `From the microphone: ${await page.locator('#answer .asked').textContent()} (${((performance.now() - spoken) / 1000).toFixed(1)} s.)`,
      );
      await photograph(page, 'speech-done');
      await user.download('Download the adapter', join(folder, 'adapter'));
      await user.download('Download the model as ONNX', join(folder, 'onnx'));
      tell('The files are downloaded.');
      expect(complaints).toEqual([]);
    } finally {
      memory.stop();
      await browser.close();
      server.close();
      rmSync(folder, { recursive: true });
    }
  },
);
