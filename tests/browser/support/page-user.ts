import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { unzipSync } from 'fflate';
import type { Page } from 'playwright-core';

/** A user's actions on the training page, by the visible texts. */
export class PageUser {
  readonly page: Page;

  constructor(page: Page) {
    this.page = page;
  }

  /**
   * Chooses a file, or a folder of pictures or sounds. Waits until it can be trained on, or until an error message appears, which it
   * returns.
   */
  async choose(path: string, field: 'Choose or drop' | 'Or a folder' = 'Choose or drop'): Promise<string> {
    const { page } = this;
    await page.getByLabel(field).setInputFiles(path);
    const isAnswered = () =>
      [...document.querySelectorAll('.problem')].some(({ textContent }) => textContent !== '') ||
      document.querySelector<HTMLButtonElement>('#train')?.disabled === false;
    await page.waitForFunction(isAnswered);
    return (await page.locator('.problem').allTextContents()).join('');
  }

  async train(epochs?: number): Promise<void> {
    const { page } = this;
    const compute = page.getByLabel('Compute on');
    if (!(await compute.isVisible())) await page.getByText('Settings', { exact: true }).first().click();
    // The same everywhere, whatever this browser supports.
    await compute.selectOption('wasm');
    if (epochs !== undefined) await page.getByLabel('Times through the rows').fill(`${epochs}`);
    await page.getByRole('button', { name: 'Train' }).click();
  }

  /** Waits for that many steps. */
  async step(least: number): Promise<void> {
    await this.page.waitForFunction(
      (least) =>
        Number(/^Step ([\d,]+)/.exec(document.querySelector('#step-line')!.textContent)?.[1]) >= least,
      least,
      { timeout: 0 },
    );
  }

  /** Waits for the end, and returns the sentence about the score. */
  async score(): Promise<string> {
    const isOver = () =>
      document.querySelector<HTMLElement>('#outcome-actions')!.checkVisibility() ||
      document.querySelector('#training-problem')!.textContent !== '';
    await this.page.waitForFunction(isOver, undefined, { timeout: 0 });
    const problem = await this.page.locator('#training-problem').textContent();
    if (problem) throw new Error(problem);
    return (await this.page.locator('#score').textContent())!;
  }

  /** Types a text. Returns the labels or answers with their numbers, the best first. */
  async ask(text: string, field = 'Type a text'): Promise<[label: string, number: number][]> {
    const { page } = this;
    await page.getByLabel(field).fill('');
    await page.locator('#answer li').first().waitFor({ state: 'detached' });
    await page.getByLabel(field).fill(text);
    return this.#answers();
  }

  /** Shows a picture or a sound to the model, like {@link ask}. */
  async show(file: string, field = 'Choose a picture'): Promise<[label: string, number: number][]> {
    await this.page.locator('#outcome').waitFor({ timeout: 0 });
    await this.page.getByLabel(field).setInputFiles(file);
    return this.#answers();
  }

  async #answers(): Promise<[label: string, number: number][]> {
    const { page } = this;
    const items = page.locator('#answer li');
    await items.first().waitFor();
    return (await items.allInnerTexts()).map((item) => {
      const [label, percent] = item.trim().split(/\s*\n\s*/) as [string, string];
      return [label, Number.parseFloat(percent)];
    });
  }

  /** Downloads a button's archive and unpacks it into a folder. Returns the archive's name. */
  async download(
    button: 'Download the adapter' | 'Download the model as ONNX',
    folder: string,
  ): Promise<string> {
    const [download] = await Promise.all([
      this.page.waitForEvent('download', { timeout: 0 }),
      this.page.getByRole('button', { name: button }).click(),
    ]);
    const files = unzipSync(new Uint8Array(readFileSync(await download.path())));
    for (const [name, bytes] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      writeFileSync(join(folder, name), bytes);
    }
    return download.suggestedFilename();
  }
}
