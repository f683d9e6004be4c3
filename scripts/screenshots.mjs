import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { chromium } from 'playwright-core';
import { writeReport } from '../src/studies/report/node/write-report.ts';

/*
 * npm run screenshots -- RUN...
 *
 * Takes pictures of the report of these runs: the README's ranks in docs/, and the whole page for a look, light, dark
 * and as wide as a phone's, in runs/. Needs Chromium.
 */

const runs = process.argv.slice(2);
if (runs.length === 0) throw new Error('which runs? npm run screenshots -- runs/demo');

const folder = mkdtempSync(join(tmpdir(), 'adalora-'));
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM_PATH ?? '/usr/bin/chromium',
  args: ['--no-sandbox'],
});

/** Pixels around an element. */
const MARGIN = 24;

/**
 * Takes a picture of a page's window, or only of an element.
 *
 * @param from element at which the picture starts
 * @param only the only element in the picture
 */
async function picture(name, url, { width, height, colorScheme = 'light', from, only }) {
  const viewport = { width, height };
  const page = await browser.newPage({ viewport, colorScheme, deviceScaleFactor: width < 500 ? 2 : 1 });
  await page.goto(url);
  const path = join(only ? 'docs' : 'runs', `${name}.png`);
  const box = await page.locator(from ?? only ?? 'body').boundingBox();
  const y = from || only ? box.y - MARGIN : 0;
  const clip = { x: 0, y, width, height: only ? box.height + 2 * MARGIN : height };
  await page.screenshot({ path, clip, fullPage: true });
  await page.close();
  console.log(path);
}

try {
  const report = join(folder, 'report.html');
  writeReport(runs, report);
  const { href } = pathToFileURL(report);
  await picture('report', href, { width: 1280, height: 1180 });
  await picture('report-dark', href, { width: 1280, height: 1180, colorScheme: 'dark' });
  await picture('report-phone', href, { width: 390, height: 844, from: '#ranks' });
  await picture('ranks', href, { width: 1280, height: 1180, only: '#ranks' });
} finally {
  await browser.close();
  rmSync(folder, { recursive: true });
}
