import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { chromium } from 'playwright-core';
import { LivePicture } from '../src/faces/servers/live/live-picture.ts';
import { serveLive } from '../src/faces/servers/live/live-server.ts';
import { folderFiles } from '../src/input/formats/node/folder-files.ts';
import { writeReport } from '../src/studies/report/node/write-report.ts';
import { readRunEvents, readRunRecord } from '../src/studies/report/run/read-run-record.ts';

/*
 * npm run screenshots -- RUN...
 *
 * Takes the README's pictures in docs/: the report of these runs, and the live page of the first run in the
 * middle of its training. Needs Chromium.
 */

const runs = process.argv.slice(2);
if (runs.length === 0) throw new Error('which runs? npm run screenshots -- runs/demo');
/** The share of training that is done in the picture of the live page. */
const MIDST = 0.6;

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
  const path = join('docs', `${name}.png`);
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

  const { facts, step, finish } = readRunRecord(folderFiles(runs[0]));
  let clock = 0;
  const live = new LivePicture(facts, () => clock);
  for (const event of readRunEvents(folderFiles(runs[0]))) {
    clock = (1000 * (finish?.train_runtime ?? 0) * event.step) / step;
    if (event.step <= MIDST * step) live.add(event);
  }
  const server = await serveLive(live, 0, () => {});
  await picture('live', server.url, { width: 1280, height: 1180 });
  await server.close();
} finally {
  await browser.close();
  rmSync(folder, { recursive: true });
}
