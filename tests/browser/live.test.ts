import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { FinishEvent } from '../../src/training/run/events.ts';
import { type Ended, type Halt, type StartOptions, Workspace } from '../support/workspace.ts';
import { CHROMIUM, LOOKS, launch, misfits, NO_CHROMIUM, openPage } from './support/browser.ts';

/** Long enough to be watched, and stopped before its end. */
const LONG = [
  '--set',
  'training.max_steps=200000',
  '--set',
  'training.eval_strategy=no',
  '--set',
  'adalora.deltaT=1',
];

describe.skipIf(CHROMIUM === undefined)(`a run in a browser (${CHROMIUM ?? NO_CHROMIUM})`, () => {
  let workspace: Workspace;
  let browser: Browser;
  beforeAll(async () => {
    workspace = new Workspace();
    browser = await launch();
  });
  afterAll(async () => {
    await browser?.close();
    workspace.remove();
  });

  /** Starts `adalora train --live`. Returns its page's URL, and a promise of its end. */
  async function trainLive(
    words: string[],
    options?: StartOptions,
  ): Promise<{ url: string; ended: Promise<Ended> }> {
    const { process: child, ended } = workspace.start(['train', 'run.yaml', '--live', ...words], options);
    const url = await new Promise<string>((done, fail) => {
      let printed = '';
      child.stderr!.on('data', (text) => {
        printed += text;
        const address = /^Live: (\S+)\n/m.exec(printed)?.[1];
        if (address) done(address);
      });
      child.on('close', () => fail(new Error(`no address: ${printed}`)));
    });
    return { url, ended };
  }

  const stepOf = async (page: Page) => Number((await page.locator('progress').getAttribute('value')) ?? 0);
  const until = (page: Page, least: number) =>
    page.waitForFunction((step) => Number(document.querySelector('progress')?.value) >= step, least);

  it('updates, survives reloads, and stops at the press of a button as with Ctrl-C', async () => {
    const { url, ended } = await trainLive([...LONG, '--set', 'output=stopped']);
    const pages = await Promise.all(LOOKS.map((look) => openPage(browser, url, look)));
    const { page } = pages[0]!;
    await until(page, 4);
    const before = await stepOf(page);
    await page.reload();
    expect(await stepOf(page)).toBeGreaterThanOrEqual(before);
    await until(page, before + 8);
    for (const watched of pages) {
      await until(watched.page, before + 8);
      expect(await misfits(watched.page)).toEqual([]);
    }
    expect(await page.locator('#curves polyline').count()).toBeGreaterThan(0);

    const requests: string[] = [];
    page.on('request', (request) => requests.push(request.url()));
    await page.getByRole('button', { name: 'Stop' }).click();
    const { code, stderr } = await ended;
    expect(code).toBe(130);
    // The page is not requested again, because it may no longer be served.
    expect(requests).toEqual([`${url}stop`]);
    expect(stderr).toContain('Finishing the step');
    expect(stderr).toContain('To continue: adalora train run.yaml');
    const finish = workspace.events('stopped').at(-1) as FinishEvent;
    expect(finish).toMatchObject({ type: 'finish', reason: 'stopped' });
    for (const { page, complaints, strayed } of pages) {
      await page.getByText(`Stopped at step ${finish.step.toLocaleString('en')} with a checkpoint`).waitFor();
      await page.getByText('The run is over').waitFor();
      expect(await page.getByRole('button').count()).toBe(0);
      expect(complaints).toEqual([]);
      expect(strayed).toEqual([]);
      await page.close();
    }
  });

  it('shows the end of a resumed run, with its earlier steps', async () => {
    const short = ['--set', 'output=resumed', '--set', 'training.num_train_epochs=4'];
    const args = ['train', 'run.yaml', ...short];
    const stopped = await workspace.interruptAt({ type: 'step', step: 16 }, 'SIGINT', args);
    expect(stopped.code).toBe(130);
    // The remaining steps take less time than a browser may need.
    const halts: Halt[] = [
      { type: 'step', step: 20, until: 'opened' },
      { type: 'step', step: 24, until: 'streaming' },
    ];
    const words = ['--resume', ...short, '--port', '0', '--tensorboard'];
    const { url, ended } = await trainLive(words, { halts });
    const { page, complaints } = await openPage(browser, url, LOOKS[0]);
    workspace.write('opened', '');
    await until(page, 20);
    workspace.write('streaming', '');
    const { code } = await ended;
    await page.getByText('The run is over: done').waitFor();
    expect(code).toBe(0);
    const slider = page.getByRole('slider', { name: 'Step' });
    await slider.focus();
    await page.keyboard.press('Home');
    expect(await page.locator('output').textContent()).toMatch(/^0: /);
    const firstStep = page.locator('#loss-train .stripe title').first();
    expect(await firstStep.textContent()).toMatch(/^step 4\n/);
    expect(complaints).toEqual([]);
    await page.close();
  });

  it('works without scripts: the button is a form', async () => {
    const { url, ended } = await trainLive([...LONG, '--set', 'output=plain']);
    const { page } = await openPage(browser, url, LOOKS[2], false);
    await page.getByRole('button', { name: 'Stop' }).click();
    expect((await ended).code).toBe(130);
    await page.close();
  });

  it('shows why a run failed', async () => {
    workspace.write('bad.tsv', 'sentence\tlabel\nsome text\n');
    const { url, ended } = await trainLive(['--set', 'data.train=bad.tsv', '--set', 'output=failed']);
    const opened = openPage(browser, url, LOOKS[0]).catch(() => undefined);
    expect((await ended).code).toBe(2);
    const page = (await opened)?.page;
    // The run may fail before the browser connects.
    if (page) await page.getByText('The run failed: bad.tsv').waitFor();
  });
});
