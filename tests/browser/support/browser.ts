import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';

const CANDIDATES = [
  process.env.CHROMIUM_PATH,
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];

/** Chromium on this machine; undefined if there is none. */
export const CHROMIUM = CANDIDATES.find((path) => path !== undefined && existsSync(path));
export const NO_CHROMIUM = 'no Chromium here: install it, or name it in CHROMIUM_PATH';

/** `flags`: for Chromium, in addition to the usual ones. */
export function launch(...flags: string[]): Promise<Browser> {
  // Containers run as root, where Chromium's own sandbox does not start.
  const args = ['--no-sandbox', '--disable-dev-shm-usage', ...flags];
  return chromium.launch({ executablePath: CHROMIUM, args });
}

export const LOOKS = [
  { width: 1280, scheme: 'light' },
  { width: 1280, scheme: 'dark' },
  { width: 390, scheme: 'light' },
  { width: 390, scheme: 'dark' },
] as const;
export type Look = (typeof LOOKS)[number];

/** A page with its errors, and the URLs that it requested outside of `home`. */
export async function openPage(browser: Browser, home: string, { width, scheme }: Look, scripts = true) {
  const context = await browser.newContext({
    viewport: { width, height: 900 },
    colorScheme: scheme,
    javaScriptEnabled: scripts,
  });
  // The default is half a minute, which a busy machine may exceed.
  context.setDefaultTimeout(100_000);
  const page = await context.newPage();
  const complaints: string[] = [];
  const strayed: string[] = [];
  page.on('console', (message) => complaints.push(`${message.type()}: ${message.text()}`));
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('request', (request) => {
    if (!request.url().startsWith(home) && !request.url().startsWith('data:')) strayed.push(request.url());
  });
  await page.goto(home);
  return { page, complaints, strayed };
}

/** Elements that exceed the window although they cannot be scrolled to; and figures without height. */
export function misfits(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const width = document.documentElement.clientWidth;
    const scrolls = (element: Element) => element.closest('.scroll, .plot') !== null;
    const wide = [...document.querySelectorAll('body *')]
      .filter((element) => element.checkVisibility() && !scrolls(element))
      .filter((element) => element.getBoundingClientRect().right > width + 1);
    const flat = [...document.querySelectorAll('svg.chart')].filter(
      (svg) => svg.checkVisibility() && svg.getBoundingClientRect().height < 20,
    );
    const page = document.documentElement.scrollWidth > width ? ['the page scrolls sideways'] : [];
    return [...page, ...[...wide, ...flat].map((element) => element.outerHTML.slice(0, 120))];
  });
}

/** The folder for pictures of the training page. */
const PICTURES = 'runs/page';

/** Writes pictures of a page at every width and in both color schemes. */
export async function photograph(page: Page, name: string): Promise<void> {
  mkdirSync(PICTURES, { recursive: true });
  for (const { width, scheme } of LOOKS) {
    await page.setViewportSize({ width, height: 900 });
    await page.emulateMedia({ colorScheme: scheme });
    await page.screenshot({ path: join(PICTURES, `${name}-${width}-${scheme}.png`), fullPage: true });
  }
}
