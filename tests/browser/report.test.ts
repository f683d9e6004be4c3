import { cpSync, readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { thumbnail } from '../../src/input/media/images/thumbnail.ts';
import { writeReport } from '../../src/studies/report/node/write-report.ts';
import { newWorkspace, succeeds } from '../support/commands.ts';
import { CHROMIUM, LOOKS, launch, misfits, NO_CHROMIUM, openPage } from './support/browser.ts';

const workspace = newWorkspace();
beforeAll(async () => {
  for (const [output, ...settings] of [['run'], ['run-1', 'seed=1'], ['lora', 'method=lora']]) {
    const ended = await workspace.train(`output=${output}`, ...settings);
    expect(ended).toMatchObject({ code: 0 });
  }
});

describe('adalora report', () => {
  it('writes one file: into the folder of one run, for several to a given path', async () => {
    expect(await workspace.run('report', 'run')).toMatchObject({
      code: 0,
      stdout: 'The report is in run/report.html\n',
      stderr: '',
    });
    expect(await workspace.run('report', 'run', 'run-1', 'lora', '-o', 'all.html')).toMatchObject({
      code: 0,
      stdout: 'The report is in all.html\n',
    });
    const html = workspace.read('all.html').toString();
    expect(html).toContain('<h1>AdaLoRA and LoRA on ');
    // A shared report contains nothing about the machine.
    expect(html).not.toContain(workspace.folder);
  });

  it('draws a run that was killed, with an incomplete last line', async () => {
    const log = workspace.read('run', 'metrics.jsonl').toString();
    workspace.write('run-1/metrics.jsonl', log.slice(0, log.indexOf('"evaluation"') + 5));
    await succeeds(workspace.run('report', 'run-1', '-o', 'killed.html'));
    expect(workspace.read('killed.html').toString()).toContain('not finished, at step ');
  });

  it.each([
    [['nothing'], 'nothing does not exist'],
    [['model'], 'model/config.yaml does not exist'],
    [[], 'adalora report needs <run>: '],
  ])('of %j reports the problem', async (folders, message) => {
    const ended = await workspace.run('report', ...folders);
    expect(ended.code).toBe(2);
    expect(ended.stderr).toContain(message);
  });
});

describe.skipIf(CHROMIUM === undefined)(`a report in a browser (${CHROMIUM ?? NO_CHROMIUM})`, () => {
  let browser: Browser;
  let one: string;
  let several: string;
  beforeAll(async () => {
    await workspace.run('report', 'run', '-o', 'one.html');
    await workspace.run('report', 'run', 'lora', '-o', 'several.html');
    [one, several] = ['one.html', 'several.html'].map((name) => pathToFileURL(workspace.path(name)).href) as [
      string,
      string,
    ];
    browser = await launch();
  });
  afterAll(() => browser?.close());

  it.each(LOOKS)('fits $width pixels, $scheme, without console errors', async (look) => {
    for (const file of [one, several]) {
      const { page, complaints, strayed } = await openPage(browser, file, look);
      expect(await misfits(page)).toEqual([]);
      expect(complaints).toEqual([]);
      expect(strayed).toEqual([]);
      const paper = await page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
      expect(paper).toBe(look.scheme === 'light' ? 'rgb(252, 251, 247)' : 'rgb(21, 23, 27)');
      await page.close();
    }
  });

  it('shows wrong pictures from its own file', async () => {
    const lines = workspace.read('run', 'metrics.jsonl').toString().trimEnd().split('\n');
    const picture = thumbnail({ width: 90, height: 30, data: new Uint8Array(90 * 30 * 3).fill(99) });
    const mistake = { text: 'a/1.jpg', preview: picture, label: 'a', predicted: 'b', probability: 0.9 };
    const finish = { ...JSON.parse(lines.pop()!), mistakes: new Array(20).fill(mistake) };
    cpSync(workspace.path('run'), workspace.path('wrong'), { recursive: true });
    workspace.write('wrong/metrics.jsonl', `${[...lines, JSON.stringify(finish)].join('\n')}\n`);
    writeReport([workspace.path('wrong')], workspace.path('wrong.html'));
    for (const look of LOOKS) {
      const { page, complaints } = await openPage(
        browser,
        pathToFileURL(workspace.path('wrong.html')).href,
        look,
      );
      const widths = await page
        .locator('.wrong img')
        .evaluateAll((images) => images.map((image) => (image as HTMLImageElement).naturalWidth));
      expect(widths).toEqual(new Array(20).fill(48));
      expect(await misfits(page)).toEqual([]);
      expect(complaints).toEqual([]);
      await page.close();
    }
  });

  it('of six runs in folders with long names has no scrolling at 1280 pixels', async () => {
    const names = Array.from({ length: 6 }, (_, i) => `${'a-long-name-'.repeat(4)}${'x'.repeat(40)}${i}`);
    for (const [i, name] of names.entries()) {
      cpSync(workspace.path('run'), workspace.path(name), { recursive: true });
      const config = workspace.read('run', 'config.yaml').toString();
      workspace.write(
        `${name}/config.yaml`,
        config.replace(/learning_rate: .*/, `learning_rate: 0.0${i + 1}`),
      );
    }
    await workspace.run('report', ...names, '-o', 'long.html');
    const long = pathToFileURL(workspace.path('long.html')).href;
    const { page } = await openPage(browser, long, { ...LOOKS[0], width: 1280 });
    expect(await misfits(page)).toEqual([]);
    const scrolling = await page.evaluate(() =>
      [...document.querySelectorAll('.scroll, .plot')]
        .filter(({ scrollWidth, clientWidth }) => scrollWidth > clientWidth)
        .map((element) => element.getAttribute('aria-label')),
    );
    expect(scrolling).toEqual([]);
    await page.close();
  });

  it('changes the ranks with its slider, also by keyboard', async () => {
    const { page, complaints } = await openPage(browser, one, LOOKS[0]);
    const slider = page.getByRole('slider', { name: 'Step' });
    const shown = () =>
      page.evaluate(() => ({
        ranks: [...document.querySelectorAll('.cell text')].map(({ textContent }) => Number(textContent)),
        shades: [...document.querySelectorAll('.cell')].map((cell) => cell.getAttribute('class')),
        output: document.querySelector('output')?.textContent,
      }));
    const sum = ({ ranks }: { ranks: number[] }) => ranks.reduce((a, b) => a + b, 0);
    const final = await shown();
    await slider.focus();
    await page.keyboard.press('Home');
    const first = await shown();
    expect(first.output).toBe(`0: ${sum(first)} triplets`);
    expect(new Set(first.shades)).toEqual(new Set(['cell h16']));
    await page.keyboard.press('ArrowRight');
    const second = await shown();
    expect(second.output).not.toBe(first.output);
    expect(await slider.getAttribute('aria-valuetext')).toBe(`step ${second.output}`);
    await page.keyboard.press('End');
    expect(await shown()).toEqual(final);
    expect(sum(final)).toBeLessThan(sum(first));
    expect(complaints).toEqual([]);
  });

  it('can be read without scripts', async () => {
    const { page, complaints } = await openPage(browser, one, LOOKS[0], false);
    expect(await page.getByRole('slider').count()).toBe(0);
    expect(await page.locator('.cell').count()).toBeGreaterThan(4);
    expect(await page.getByRole('img', { name: 'Rank of each matrix' }).isVisible()).toBe(true);
    expect(await page.locator('.download').first().isVisible()).toBe(false);
    expect(complaints).toEqual([]);
  });

  it('saves its pictures as SVG that looks the same elsewhere', async () => {
    const { page, complaints } = await openPage(browser, one, LOOKS[1]);
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('link', { name: 'Save as SVG: loss-train' }).click(),
    ]);
    expect(download.suggestedFilename()).toBe('loss-train.svg');
    const svg = readFileSync(await download.path(), 'utf8');
    expect(svg).toMatch(/^<svg [^>]*xmlns="http:\/\/www.w3.org\/2000\/svg"/);
    expect(svg).toMatch(/<polyline [^>]*stroke: rgb\(134, 180, 236\)/);
    expect(svg).not.toContain('var(');
    const alone = await page.context().newPage();
    await alone.setContent(svg);
    expect(await alone.locator('parsererror').count()).toBe(0);
    expect(complaints).toEqual([]);
  });

  it('prints on white, without interactive elements', async () => {
    const { page } = await openPage(browser, several, LOOKS[1]);
    await page.emulateMedia({ media: 'print', colorScheme: 'dark' });
    const paper = await page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
    expect(paper).toBe('rgb(255, 255, 255)');
    expect(await page.locator('.slider').first().isVisible()).toBe(false);
    expect((await page.pdf()).length).toBeGreaterThan(20_000);
  });
});
