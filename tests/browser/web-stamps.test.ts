import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { servePage } from '../../src/faces/servers/page/page-server.ts';
import { CHROMIUM, LOOKS, launch, openPage, photograph } from './support/browser.ts';
import { PageUser } from './support/page-user.ts';
import { watchMemory } from './support/watch-memory.ts';

const MODEL = '../shared/models/dinov2-small';
const STAMPS = '../shared/data/stamps';
const LACKING = [MODEL, STAMPS].filter((path) => !existsSync(path));
const REASON = LACKING.length > 0 ? `without ${LACKING.join(' and ')}` : 'with LONG_TESTS=1';

// Minutes: LONG_TESTS=1 npx vitest run tests/browser/web-stamps.test.ts
it.skipIf(!process.env.LONG_TESTS || !CHROMIUM || LACKING.length > 0)(
  `DINOv2-small learns stamps in the page (${REASON})`,
  { timeout: 3_600_000 },
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'adalora-'));
    const { url, server } = await servePage(0, { name: 'facebook/dinov2-small', folder: MODEL });
    const browser = await launch();
    const memory = watchMemory();
    try {
      const { page, complaints } = await openPage(browser, url, LOOKS[0]);
      const user = new PageUser(page);
      const startedAt = performance.now();
      const tell = (what: string) =>
        console.log(
          `${what} After ${((performance.now() - startedAt) / 1000).toFixed(0)} s, ${memory.peak()} MB.`,
        );
      expect(await user.choose(join(STAMPS, 'train'), 'Or a folder')).toBe('');
      await photograph(page, 'stamps-chosen');
      await user.train();
      await page.locator('#outcome').waitFor({ timeout: 0 });
      tell('The probe is fitted.');
      const birds = join(STAMPS, 'test', 'birds');
      const bird = join(birds, readdirSync(birds)[0]!);
      tell(`It answers ${(await user.show(bird))[0]}.`);
      await photograph(page, 'stamps-probe');
      const score = await user.score();
      tell(`${score} ${await page.locator('#score-note').textContent()}`);
      await photograph(page, 'stamps-done');
      // A probe on the class token alone is right for 68 % of the test pictures.
      expect(Number(/[\d.]+/.exec(score)![0])).toBeGreaterThan(50);
      expect((await user.show(bird))[0]![0]).toBe('birds');
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
