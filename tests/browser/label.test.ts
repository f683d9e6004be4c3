import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { servePage } from '../../src/faces/servers/page/page-server.ts';
import { tinyRows } from '../support/tiny-data.ts';
import { writeImageModel, writeImages } from '../support/tiny-images.ts';
import { CHROMIUM, LOOKS, launch, misfits, NO_CHROMIUM, openPage, photograph } from './support/browser.ts';
import { PageUser } from './support/page-user.ts';

const ROWS = 40;

it.skipIf(!CHROMIUM)(
  `labels by keyboard, keeps the labels, and trains on them (${CHROMIUM ?? NO_CHROMIUM})`,
  { timeout: 400_000 },
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'adalora-'));
    const path = join(folder, 'messages.csv');
    const texts = new Set(tinyRows(60, 3).map(({ text }) => text));
    writeFileSync(
      path,
      ['id,message', ...[...texts].slice(0, ROWS).map((text, i) => `${i},"${text}"`)].join('\n'),
    );
    const { url, server } = await servePage(0);
    const browser = await launch();
    try {
      const { page, complaints, strayed } = await openPage(browser, url, LOOKS[0]);
      const state = page.locator('#labeling-state');
      const labeled = (count: number) => state.getByText(`${count} of ${ROWS} rows labeled.`).waitFor();
      const { keyboard } = page;
      /** Presses the key of the row's true label. */
      const answer = async () => {
        await keyboard.press((await page.locator('#asked').textContent())!.includes('good') ? '1' : '2');
      };

      await new PageUser(page).choose(path);
      const names = page.getByLabel('Two to nine labels');
      await names.fill('good');
      await names.press('Enter');
      await page.getByText('Name 2 to 9 labels').waitFor();
      await names.fill('good, bad');
      await names.press('Enter');
      await labeled(0);
      for (let count = 1; count <= 12; count++) {
        await answer();
        await labeled(count);
      }
      expect(await page.locator('#asked-note').textContent()).toMatch(/^Guess: (good|bad) \(\d+ %\)\.$/);
      await keyboard.press('u');
      await labeled(11);
      const skipped = await page.locator('#asked').textContent();
      await keyboard.press('s');
      await page.waitForFunction((text) => document.querySelector('#asked')!.textContent !== text, skipped);
      await keyboard.press('/');
      await keyboard.type('no such words');
      await keyboard.press('Enter');
      await page.getByText('No row without a label has these words.').waitFor();
      await page.getByText('Labeled rows', { exact: true }).click();
      await photograph(page, 'labeling');
      for (const { width } of LOOKS) {
        await page.setViewportSize({ width, height: 900 });
        expect(await misfits(page)).toEqual([]);
      }

      const other = await page.context().newPage();
      await other.goto(url);
      await other.getByRole('button', { name: 'Continue labeling' }).click();
      await other.getByText('is being labeled in another tab').waitFor();
      await other.close();

      await page.reload();
      await page.getByText('This browser has 12 answers to rows of messages.csv.').waitFor();
      await page.getByRole('button', { name: 'Continue labeling' }).press('Enter');
      for (let count = 11; count < 24; count++) {
        await labeled(count);
        await answer();
      }
      await labeled(24);
      expect(await state.textContent()).toMatch(
        /Accuracy: \d+ %, estimated from \d+ random rows that the guesses did not learn from \(95 % interval/,
      );
      const [download] = await Promise.all([
        page.waitForEvent('download'),
        page.getByRole('button', { name: 'Download CSV' }).press('Enter'),
      ]);
      expect(download.suggestedFilename()).toBe('messages-labeled.csv');
      const [header, ...lines] = readFileSync(await download.path(), 'utf8')
        .trim()
        .split('\n');
      expect(header).toBe('text,label');
      expect(lines).toHaveLength(24);
      for (const line of lines) expect(line.endsWith(',good')).toBe(line.split('",')[0]!.includes('good'));

      await page.getByRole('button', { name: 'Train on the labeled rows' }).press('Enter');
      const train = page.getByRole('button', { name: 'Train', exact: true });
      await page.waitForFunction(() => !document.querySelector<HTMLButtonElement>('#train')!.disabled);
      await train.press('Enter');
      await page.locator('#training').waitFor();
      await page.locator('#outcome').waitFor({ timeout: 0 });
      expect(complaints).toEqual([]);
      expect(strayed.filter((stray) => !stray.startsWith('blob:'))).toEqual([]);
    } finally {
      await browser.close();
      server.close();
      rmSync(folder, { recursive: true });
    }
  },
);

/** Rows without labels that are not lists of texts: how they are written, and the labels by their texts. */
const KINDS = [
  {
    kind: 'pairs with several labels',
    async write(folder: string) {
      const path = join(folder, 'pairs.csv');
      const rows = tinyRows(40, 5).map(({ text, pair }, i) => `"${text} ${i}","${pair}"\n`);
      writeFileSync(path, `question,answer\n${rows.join('')}`);
      return path;
    },
    field: 'Choose or drop',
    names: 'good, bad',
    several: true,
    second: 'answer',
    keysFor: (text: string) => [
      ...(text.includes('good') ? '1' : ''),
      ...(text.includes('cat') ? '2' : ''),
      'n',
    ],
    saved: ['pairs-labeled.csv', 'text,text_pair,label', /^".*",".*",("?)((good)?;?(bad)?)\1$/],
    trains: false,
  },
  {
    kind: 'pictures without folders of classes',
    async write(folder: string) {
      await writeImages(join(folder, 'classes'));
      const path = join(folder, 'loose');
      mkdirSync(path);
      for (const name of readdirSync(join(folder, 'classes'), { recursive: true, encoding: 'utf8' }))
        if (name.endsWith('.png')) cpSync(join(folder, 'classes', name), join(path, name.replace('/', '-')));
      return path;
    },
    field: 'Or a folder',
    names: 'red, green, blue',
    several: false,
    second: undefined,
    keysFor: (name: string) => [`${['red', 'green', 'blue'].indexOf(name.split('-')[0]!) + 1}`],
    saved: ['metadata.csv', 'file_name,label', /^(red|green|blue)-\d\.png,\1$/],
    trains: true,
  },
] as const;

it.skipIf(!CHROMIUM).each(KINDS)(
  `labels $kind (${CHROMIUM ?? NO_CHROMIUM})`,
  { timeout: 400_000 },
  async ({ write, field, names, several, second, keysFor, saved, trains }) => {
    const folder = mkdtempSync(join(tmpdir(), 'adalora-'));
    const path = await write(folder);
    writeImageModel(join(folder, 'model'));
    const { url, server } = await servePage(0, { name: 'tiny/pictures', folder: join(folder, 'model') });
    const browser = await launch();
    try {
      const { page, complaints } = await openPage(browser, url, LOOKS[0]);
      await new PageUser(page).choose(path, field);
      if (!(await page.getByLabel('Two to nine labels').isVisible()))
        await page.getByText('No labels yet?').click();
      await page.getByLabel('Two to nine labels').fill(names);
      if (several) await page.getByLabel('A row may have several labels').check();
      if (second !== undefined) await page.getByLabel('Second text').selectOption(second);
      await page.getByRole('button', { name: 'Label the rows' }).press('Enter');
      const labeled = (count: number) => page.locator('#labeling-state').getByText(`${count} of `).waitFor();
      const label = async (from: number, to: number) => {
        for (let count = from; count < to; count++) {
          await labeled(count);
          const row = await page.evaluate(
            () =>
              document.querySelector<HTMLImageElement>('#asked-picture:not([hidden])')?.alt ??
              document.querySelector('#asked')!.textContent,
          );
          for (const key of keysFor(row)) await page.keyboard.press(key);
        }
        await labeled(to);
      };
      await label(0, 12);
      await page.waitForFunction(() =>
        [...document.querySelectorAll('img')].every(({ complete }) => complete),
      );
      await photograph(page, `labeling-${second ?? 'pictures'}`);
      for (const { width } of LOOKS) {
        await page.setViewportSize({ width, height: 900 });
        expect(await misfits(page)).toEqual([]);
      }
      await page.reload();
      await page.getByRole('button', { name: 'Continue labeling' }).press('Enter');
      await label(12, 20);
      const [download] = await Promise.all([
        page.waitForEvent('download'),
        page.getByRole('button', { name: 'Download CSV' }).press('Enter'),
      ]);
      const [name, header, line] = saved;
      expect(download.suggestedFilename()).toBe(name);
      const lines = readFileSync(await download.path(), 'utf8')
        .trim()
        .split('\n');
      expect(lines[0]).toBe(header);
      expect(lines.slice(1)).toHaveLength(20);
      expect(lines.slice(1).filter((each) => !line.test(each))).toEqual([]);
      await page.getByRole('button', { name: 'Train on the labeled rows' }).press('Enter');
      if (trains) {
        await page.waitForFunction(() => !document.querySelector<HTMLButtonElement>('#train')!.disabled);
        expect(await page.locator('#counts').textContent()).toContain('20 pictures');
      } else await page.getByText('use the command line: npx adalora train pairs-labeled.csv').waitFor();
      expect(complaints).toEqual([]);
    } finally {
      await browser.close();
      server.close();
      rmSync(folder, { recursive: true });
    }
  },
);
