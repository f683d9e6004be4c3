import type { Server } from 'node:http';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startServer } from '../../src/faces/cli/commands/serve.ts';
import { serveApp } from '../../src/faces/servers/serve/serve-app.ts';
import { ServerMetrics } from '../../src/faces/servers/serve/server-metrics.ts';
import type { PredictRequest, Service } from '../../src/use/serving/service/service.ts';
import { CHROMIUM, launch, NO_CHROMIUM } from './support/browser.ts';

const CARD = { folder: 'x', created: 0, labels: [], writes: false, embeds: false };
const asked: PredictRequest[] = [];
const service: Service = {
  models: async () => [
    { ...CARD, name: 'photos', task: 'single_label_classification', input: 'image' },
    { ...CARD, name: 'texts', task: 'single_label_classification', input: 'text' },
  ],
  async predict(request) {
    asked.push(request);
    return request.inputs.map(() => [{ label: 'crow', score: 1 }]);
  },
  embed: async () => ({ vectors: [], tokens: 0 }),
  write: async () => ({ text: '', finish: 'stop', promptTokens: 0, newTokens: 0 }),
  load: async () => {},
  unload: async () => {},
  close: async () => {},
};

describe.skipIf(CHROMIUM === undefined)(`the page of a server (${CHROMIUM ?? NO_CHROMIUM})`, () => {
  let server: Server;
  let browser: Browser;
  let page: Page;

  beforeAll(async () => {
    const { app } = serveApp(service, {
      metrics: new ServerMetrics(),
      allowLoading: false,
      maxBody: 100_000,
      maxRequests: 10,
      maxSeconds: 10,
      version: '0',
      log() {},
      onFault() {},
    });
    const started = await startServer(app, '127.0.0.1', 0);
    server = started.server;
    browser = await launch();
    page = await browser.newPage();
    await page.goto(started.url);
  });
  afterAll(async () => {
    await browser?.close();
    server?.close();
    server?.closeAllConnections();
  });

  async function answer(): Promise<unknown> {
    const before = asked.length;
    await page.getByRole('button', { name: 'Send' }).click();
    await expect.poll(() => asked.length).toBe(before + 1);
    await page.locator('#answer', { hasText: 'crow' }).waitFor();
    return JSON.parse((await page.locator('#answer').textContent())!);
  }

  it('sends pictures to models of pictures, and texts to models of texts', async () => {
    await page.locator('#file').waitFor();
    expect(await page.locator('#text').isVisible()).toBe(false);
    const files = ['photo.jpg', 'rgb.png'];
    await page
      .locator('#file')
      .setInputFiles(files.map((name) => `src/input/media/images/fixtures/files/${name}`));
    expect(await answer()).toHaveLength(2);
    expect(asked.at(-1)).toMatchObject({ model: 'photos', inputs: files.map((text) => ({ text })) });

    await page.locator('#model').selectOption('texts');
    expect(await page.locator('#file').isVisible()).toBe(false);
    await page.locator('#text').fill('a crow');
    expect(await answer()).toEqual([{ label: 'crow', score: 1 }]);
    expect(asked.at(-1)).toMatchObject({ model: 'texts', inputs: [{ text: 'a crow' }] });
  });
});
