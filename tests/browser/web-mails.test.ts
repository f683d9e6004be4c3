import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { writeData } from '../../scripts/demo/write-data.ts';
import { servePage } from '../../src/faces/servers/page/page-server.ts';
import { open } from '../../src/use/trained/node/open.ts';
import { CHROMIUM, LOOKS, launch, openPage, photograph } from './support/browser.ts';
import { PageUser } from './support/page-user.ts';

const MAILS = 600;
const TEXTS = [
  'Lose weight fast, 100% guaranteed, order now and save!!!',
  'The patch applies cleanly to the current kernel, thanks. I will test it tonight.',
];

// Minutes: LONG_TESTS=1 npx vitest run tests/browser/web-mails.test.ts
it.skipIf(!process.env.LONG_TESTS || !CHROMIUM)(
  `${MAILS} of the demo's e-mails in the page (with LONG_TESTS=1)`,
  { timeout: 3_600_000 },
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'adalora-'));
    const { train } = writeData(join(folder, 'mails'));
    const lines = train.slice(0, MAILS).map(({ text, label }) => `"${text.replaceAll('"', '""')}",${label}`);
    writeFileSync(join(folder, 'mails.csv'), ['text,label', ...lines].join('\n'));
    const { url, server } = await servePage(0);
    const browser = await launch();
    try {
      const { page, complaints } = await openPage(browser, url, LOOKS[0]);
      const user = new PageUser(page);
      const startedAt = performance.now();
      const seconds = () => ((performance.now() - startedAt) / 1000).toFixed(0);
      await user.choose(join(folder, 'mails.csv'));
      await user.train();
      await user.step(40);
      await photograph(page, 'training');
      const score = await user.score();
      console.log(`${score} After ${seconds()} s.`);
      const answers = new Map<string, Awaited<ReturnType<PageUser['ask']>>>();
      for (const text of TEXTS) answers.set(text, await user.ask(text));
      await user.download('Download the adapter', join(folder, 'adapter'));
      console.log(`The adapter is there after ${seconds()} s.`);
      await photograph(page, 'done');

      const [, percent] = /^Correct on ([\d.]+) %/.exec(score)!;
      const note = (await page.locator('#score-note').textContent())!;
      const [, guess] = /a bag of words [\d.]+, always ".+" ([\d.]+)/.exec(note)!;
      expect(Number(percent)).toBeGreaterThan(100 * Number(guess) + 10);
      const model = await open(join(folder, 'adapter'), { device: 'wasm' });
      for (const text of TEXTS) {
        const [label, percent] = answers.get(text)![0]!;
        for await (const answer of model.predict([{ text }])) {
          expect(label).toBe(answer.label);
          expect(Math.abs(percent - 100 * Math.max(...Object.values(answer.probabilities)))).toBeLessThan(
            0.06,
          );
        }
      }
      await model.close();
      expect(complaints).toEqual([]);
    } finally {
      await browser.close();
      server.close();
      rmSync(folder, { recursive: true });
    }
  },
);
