import { mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import type { Browser, Page } from 'playwright-core';
import sirv from 'sirv';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type PageServer, servePage, writePage } from '../../src/faces/servers/page/page-server.ts';
import { requireTexts } from '../../src/program/modalities/texts.ts';
import { cosine } from '../../src/tasks/sentence-vectors.ts';
import { open } from '../../src/use/trained/node/open.ts';
import { newFolder } from '../support/new-folder.ts';
import { tinyRows } from '../support/tiny-data.ts';
import { CHROMIUM, LOOKS, launch, misfits, NO_CHROMIUM, openPage } from './support/browser.ts';
import { PageUser } from './support/page-user.ts';

/** Takes seconds on an idle machine. */
const SLOWLY = { timeout: 400_000 };
const HEADER = 'sentence,quality';

let folder: string;
let server: PageServer;
let browser: Browser;
/** The page after its first training, on rows.csv, and the adapter in `adapter/`. */
let first: { user: PageUser; complaints: string[] };
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'adalora-'));
  const rows = tinyRows(110, 1).map(({ text, label }) => `"${text}",${label}`);
  write('rows.csv', [HEADER, ...rows].join('\n'));
  server = await servePage(0);
  if (CHROMIUM) browser = await launch();
});
afterAll(async () => {
  await browser?.close();
  server?.server.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Questions about eight things, several for each answer. */
function questions(): [question: string, answer: string][] {
  const things = ['a train', 'a ticket', 'a room', 'a bike', 'a boat', 'a table', 'a seat', 'a guide'];
  const forms = [
    'how do i pay for',
    'where can i book',
    'can i refund',
    'who sells',
    'what costs',
    'is there',
  ];
  return things.flatMap((thing) =>
    forms.map((form): [string, string] => [`${form} ${thing}`, `ask at the desk for ${thing} of yours`]),
  );
}

function write(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

describe.skipIf(CHROMIUM === undefined)(`the page that trains (${CHROMIUM ?? NO_CHROMIUM})`, () => {
  it(
    'works from start to end without requests to others, and its adapter predicts the same in Node',
    SLOWLY,
    async () => {
      const requests: string[] = [];
      const { page, complaints, strayed } = await openPage(browser, server.url, LOOKS[0]);
      page.context().on('request', (request) => {
        requests.push(`${request.method()} ${request.postData() ?? ''}${new URL(request.url()).origin}`);
      });
      expect(await page.evaluate(() => crossOriginIsolated)).toBe(true);
      const user = new PageUser(page);
      expect(await user.choose(join(folder, 'rows.csv'))).toBe('');
      expect(await page.getByLabel('Texts', { exact: true }).inputValue()).toBe('0');
      expect(await page.locator('#counts').textContent()).toMatch(/good\s*\d+/);
      await user.train(2);
      // A linear probe answers while the model is trained.
      const [probed] = await user.ask('the cat sat very good.');
      expect(await page.locator('#outcome-title').textContent()).toBe('4. Try it while it learns');
      expect(['good', 'bad']).toContain(probed![0]);
      const score = await user.score();
      const [, percent] = /^Correct on ([\d.]+) % of rows that it has not seen\.$/.exec(score)!;
      expect(Number(percent)).toBeGreaterThan(0);
      expect(await page.locator('#ranks .cell').count()).toBe(24);
      expect(await page.locator('#ranks .slider').isVisible()).toBe(true);
      expect(await page.locator('#loss-train polyline').count()).toBe(1);

      const adapter = join(folder, 'adapter');
      expect(await user.download('Download the adapter', adapter)).toBe('rows-adapter.zip');
      const site = join(folder, 'onnx');
      expect(await user.download('Download the model as ONNX', site)).toBe('rows-onnx.zip');
      expect(readdirSync(site).sort()).toEqual([
        'config.json',
        'onnx',
        'tokenizer.json',
        'tokenizer_config.json',
      ]);
      const session = await InferenceSession.create(join(site, 'onnx/model.onnx'));
      const model = await open(adapter, { device: 'wasm' });
      for (const text of ['the cat sat very good.', 'the fish, the bird flew bad.']) {
        const [first, ...others] = await user.ask(text);
        const [label, percent] = first!;
        for await (const answer of model.predict([{ text }])) {
          expect(label).toBe(answer.label);
          // Rounded as in the page.
          expect(Math.abs(percent - 100 * Math.max(...Object.values(answer.probabilities)))).toBeLessThan(
            0.06,
          );
          const { inputIds } = requireTexts(model.parts.modality).encode(text, undefined, 128);
          const { logits } = await session.run(batchOfOne(inputIds));
          // Sums of float32 in another order.
          (logits!.data as Float32Array).forEach((logit, i) =>
            expect(Math.abs(logit - answer.logits[i]!)).toBeLessThan(1e-4),
          );
        }
        expect(others).toHaveLength(1);
      }
      await model.close();
      expect(complaints).toEqual([]);
      expect(strayed.filter((url) => !url.startsWith('blob:'))).toEqual([]);
      const origin = new URL(server.url).origin;
      expect(new Set(requests.filter((line) => !line.endsWith('null')))).toEqual(new Set([`GET ${origin}`]));
      first = { user, complaints };
    },
  );

  it('learns to find answers, and its adapter finds the same in Node', SLOWLY, async () => {
    const { page, complaints } = await openPage(browser, server.url, LOOKS[0]);
    const user = new PageUser(page);
    const pairs = questions();
    const file = write('faq.csv', ['question,answer', ...pairs.map((pair) => pair.join(','))].join('\n'));
    expect(await user.choose(file)).toBe('');
    expect(await page.getByLabel('Learn to').inputValue()).toBe('search');
    expect(await page.getByLabel('Questions', { exact: true }).inputValue()).toBe('0');
    expect(await page.locator('#counts').textContent()).toContain('8 different answers.');
    await user.train(2);
    expect(await user.score()).toMatch(
      /^Finds the right answer first for [\d.]+ % of questions that it has not seen\.$/,
    );

    const folder = newFolder();
    await user.download('Download the adapter', folder);
    await using model = await open(folder, { device: 'wasm' });
    const answers = [...new Set(pairs.map(([, answer]) => answer))];
    const vectors = await model.embed(answers);
    for (const question of ['how do i pay for a train', 'can i refund a ticket']) {
      const [query] = await model.embed([question]);
      const near = new Map(answers.map((answer, i) => [answer, cosine(query!, vectors[i]!)]));
      const found = await user.ask(question, 'Type a question');
      expect(found).toHaveLength(6);
      // The page shows two digits.
      for (const [answer, score] of found) expect(Math.abs(score - near.get(answer)!)).toBeLessThan(0.006);
      expect(near.get(found[0]![0])).toBe(Math.max(...near.values()));
    }
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  it('resumes in a new tab after one was closed, and ends with the same adapter', SLOWLY, async () => {
    const { user, complaints } = first;
    const { page } = user;
    await page.setViewportSize({ width: LOOKS[2].width, height: 900 });
    await user.train(2);
    await user.step(3);
    await page.close();

    const again = await page.context().newPage();
    await again.goto(server.url);
    const offer = again.getByText('This browser has a training on rows.csv, saved at step');
    await offer.waitFor();
    const second = new PageUser(again);
    await again.getByRole('button', { name: 'Continue' }).click();
    await second.score();
    await second.download('Download the adapter', join(folder, 'resumed'));
    const name = 'adapter_model.safetensors';
    expect(readFileSync(join(folder, 'resumed', name))).toEqual(readFileSync(join(folder, 'adapter', name)));
    // A finished run is restored too, until it is deleted.
    await again.reload();
    await offer.waitFor();
    await again.getByRole('button', { name: 'Discard' }).click();
    await offer.waitFor({ state: 'hidden' });
    await again.reload();
    await again.getByRole('button', { name: 'Try messages to a shop' }).click();
    await again.getByText('messages.tsv: 48 rows of 2 columns.').waitFor();
    expect(await offer.isVisible()).toBe(false);
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  it('asks before it stops an unsaved run, and reports a failed checkpoint', SLOWLY, async () => {
    const { page, complaints } = await openPage(browser, server.url, LOOKS[0]);
    const user = new PageUser(page);
    // So many rows are not cross-validated, so steps come at once.
    const rows = tinyRows(1200, 5).map(({ text, label }, i) => `"${text} ${i}",${label}`);
    const many = write('many.csv', [HEADER, ...rows].join('\n'));
    await user.choose(many);
    await user.train(100);
    await user.step(1);
    // As on a full disk.
    await page.workers()[0]!.evaluate(() => {
      FileSystemFileHandle.prototype.createWritable = () => Promise.reject(new Error('no room'));
    });
    // The first tab stores its training, so this one cannot.
    const other = await page.context().newPage();
    await other.goto(server.url);
    const second = new PageUser(other);
    await second.choose(many);
    await second.train(100);
    await other.getByText('Not saved: another tab is saving its training').waitFor({ timeout: 0 });
    expect(await stopped(other, false)).toMatch(/^This training is not saved, /);
    expect(await other.getByRole('button', { name: 'Stop' }).isEnabled()).toBe(true);
    await stopped(other, true);
    await other
      .getByText(/^Stopped at step/)
      .first()
      .waitFor({ timeout: 0 });

    await page.getByText('A checkpoint could not be saved (no room)').waitFor({ timeout: 0 });
    expect(await stopped(page, true)).toMatch(/^The newest checkpoint is not saved, /);
    await page
      .getByText(/^Stopped at step/)
      .first()
      .waitFor({ timeout: 0 });
    expect(complaints).toEqual([]);
    await page.context().close();

    /** Clicks Stop and answers the dialog. Returns its question. */
    async function stopped(page: Page, yes: boolean): Promise<string> {
      const asked = new Promise<string>((resolve) => {
        page.once('dialog', async (dialog) => {
          await (yes ? dialog.accept() : dialog.dismiss());
          resolve(dialog.message());
        });
      });
      await page.getByRole('button', { name: 'Stop' }).click();
      return asked;
    }
  });

  it('keeps the typed text when a column is changed, and accepts the same file again', async () => {
    const { page, complaints } = await openPage(browser, server.url, LOOKS[0]);
    const user = new PageUser(page);
    const rows = tinyRows(60, 4).map(({ text, label }, i) => `"${text}",${label},${i % 2 ? 'odd' : 'even'}`);
    const file = write('columns.csv', [`${HEADER},parity`, ...rows].join('\n'));
    await user.choose(file);
    await page.getByText('Settings', { exact: true }).first().click();
    const epochs = page.getByLabel('Times through the rows');
    const suggested = await epochs.inputValue();
    await epochs.fill('3');
    await page.getByLabel('Labels', { exact: true }).selectOption('parity');
    await page.locator('#counts').getByText('even').waitFor();
    expect(await epochs.inputValue()).toBe('3');
    await epochs.fill('');
    await page.getByLabel('Labels', { exact: true }).selectOption('quality');
    await page.locator('#counts').getByText('good').waitFor();
    expect(await epochs.inputValue()).toBe(suggested);

    write('columns.csv', [`${HEADER},parity`, ...rows.slice(1)].join('\n'));
    const [chooser] = await Promise.all([page.waitForEvent('filechooser'), page.locator('#input').click()]);
    expect(await page.locator('#input').inputValue()).toBe('');
    await chooser.setFiles(file);
    await page.getByText('columns.csv: 59 rows of 3 columns.').waitFor();
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  it('reports a file that is not a labeled table', async () => {
    const { page, complaints } = await openPage(browser, server.url, LOOKS[0]);
    const user = new PageUser(page);
    const large = write('large.csv', '');
    truncateSync(large, 100e6);
    const answers: [file: string, answer: RegExp][] = [
      [
        write('one.csv', [HEADER, ...tinyRows(20, 2).map(({ text }) => `"${text}",good`)].join('\n')),
        /^one\.csv, column quality needs .*"good"\./,
      ],
      [write('empty.csv', ''), /^empty\.csv is empty\.$/],
      [write('header.csv', HEADER), /^header\.csv has a header and no rows\./],
      [
        write('photo.csv', Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0, 1, 2)),
        /^photo\.csv is a binary file\. Choose CSV, TSV, JSON Lines or parquet\.$/,
      ],
      [write('sheet.csv', Uint8Array.of(0x50, 0x4b, 3, 4, 0)), /Save the sheet as CSV/],
      [write('latin.csv', Uint8Array.of(0x61, 0x81, 0x0a)), /^latin\.csv is not UTF-8 text\./],
      [
        write('labels.csv', `label\n${'a\nb\n'.repeat(9)}`),
        /^labels\.csv has one column, but needs one of texts and one of labels\.$/,
      ],
      [
        write(
          'numbers.csv',
          `x,label\n${Array.from({ length: 20 }, (_, i) => `${i},${i % 2 ? 'a' : 'b'}`).join('\n')}`,
        ),
        /^numbers\.csv, column x has fields without letters/,
      ],
      [write('broken.jsonl', '{"text": "a", "label": 1}\n{"text": '), /^broken\.jsonl:2 is not valid JSON/],
      [large, /^large\.csv is larger than 50 MB \(100 MB\), the limit in a page\./],
    ];
    for (const [file, answer] of answers) {
      expect(await user.choose(file)).toMatch(answer);
      expect(await page.locator('#train').isDisabled()).toBe(true);
    }
    // Everything else continues.
    expect(await user.choose(join(folder, 'rows.csv'))).toBe('');
    // While the next file is read, the previous one cannot be trained on.
    const isDisabledAtOnce = await page.evaluate(() => {
      document.querySelector('#input')!.dispatchEvent(new Event('change'));
      return document.querySelector<HTMLButtonElement>('#train')!.disabled;
    });
    expect(isDisabledAtOnce).toBe(true);
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  it('reads parquet, and files compressed by gzip', async () => {
    const { page, complaints } = await openPage(browser, server.url, LOOKS[0]);
    const user = new PageUser(page);
    const fixture = (name: string) => join('src/input/data/parquet/fixtures', `${name}.parquet`);
    expect(await user.choose(fixture('bomb'))).toMatch(/^bomb\.parquet is not a /);
    for (const name of ['snappy', 'zstd']) {
      await user.choose(fixture(`rows-${name}`));
      await page.getByText(`rows-${name}.parquet: 200 rows of 6 columns.`).waitFor();
    }
    await user.choose(write('rows.csv.gz', gzipSync(readFileSync(join(folder, 'rows.csv')))));
    await page.getByText('rows.csv.gz: 110 rows of 2 columns.').waitFor();
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  it.each(LOOKS)('fits $width pixels, $scheme', async (look) => {
    const { page } = await openPage(browser, server.url, look);
    await new PageUser(page).choose(join(folder, 'rows.csv'));
    expect(await misfits(page)).toEqual([]);
    await page.context().close();
  });

  it('is usable without a mouse', SLOWLY, async () => {
    const { page } = await openPage(browser, server.url, LOOKS[0]);
    await page.keyboard.press('Tab');
    expect(await focused()).toBe('input');
    await page.keyboard.press('Tab');
    expect(await focused()).toBe('folder');
    // The lines that unfold the camera, the microphone and the sentences have no id.
    for (let i = 0; i < 4; i++) await page.keyboard.press('Tab');
    expect(await focused()).toBe('example');
    await page.keyboard.press('Enter');
    await page.waitForFunction(() => !document.querySelector<HTMLButtonElement>('#train')!.disabled);
    const passed: string[] = [];
    while (passed.at(-1) !== 'train' && passed.length < 12) {
      await page.keyboard.press('Tab');
      passed.push(await focused());
    }
    expect(passed).toEqual([
      'goal',
      'input-column',
      'target-column',
      'header',
      '',
      'model-choice',
      '',
      '',
      'train',
    ]);
    await page.keyboard.press('Enter');
    await page.waitForFunction(() => document.activeElement?.id === 'training-title');
    await page.keyboard.press('Tab');
    expect(await focused()).toBe('stop');
    await page.keyboard.press('Enter');
    await page
      .getByRole('status')
      .filter({ hasText: /^Stopped at step/ })
      .waitFor({ timeout: 0 });
    const names = page.locator('input, select, textarea, button, progress:not([aria-hidden])');
    for (const control of await names.all())
      expect(await control.evaluate(nameOf), await control.evaluate(({ outerHTML }) => outerHTML)).not.toBe(
        '',
      );
    await page.context().close();

    function focused(): Promise<string> {
      return page.evaluate(() => document.activeElement?.id ?? '');
    }
  });

  it('cannot send anything anywhere, not even from its worker', async () => {
    let asked = 0;
    const other = createServer((_, response) => {
      asked++;
      response.setHeader('Access-Control-Allow-Origin', '*').end();
    });
    const url = await listening(other);
    // On a host that sends no header, only the page's own policy applies.
    writePage(join(folder, 'plain'));
    // The browser must not take the example from its cache after the server has closed.
    const plain = createServer(sirv(join(folder, 'plain'), { etag: true, maxAge: 0 }));
    const home = await listening(plain);
    const { page } = await openPage(browser, home, LOOKS[0]);
    // It isolates itself and reloads.
    await page.waitForFunction(() => crossOriginIsolated);
    await page.getByRole('button', { name: 'Try messages' }).click();
    await page.getByText('messages.tsv: 48 rows').waitFor();
    const send = (url: string) =>
      fetch(url, { method: 'POST', body: 'rows' }).then(
        () => 'sent',
        () => 'refused',
      );
    expect(await page.evaluate(send, url)).toBe('refused');
    const workers = page.workers();
    expect(workers).toHaveLength(1);
    expect(await workers[0]!.evaluate(send, url)).toBe('refused');
    expect(asked).toBe(0);

    plain.close();
    plain.closeAllConnections();
    await page.getByRole('button', { name: 'Try messages' }).click();
    await page.getByText('The example could not be loaded').waitFor();
    await page.context().close();
    other.close();
  });
});

/** The inputs of a model as Optimum exports them, for one text. */
function batchOfOne(ids: ArrayLike<number>): Record<string, Tensor> {
  const row = (value: (id: number) => number) =>
    new Tensor(
      'int64',
      BigInt64Array.from(Array.from(ids), (id) => BigInt(value(id))),
      [1, ids.length],
    );
  return { input_ids: row((id) => id), attention_mask: row(() => 1), token_type_ids: row(() => 0) };
}

/** The accessible name of a control, from its label, its own text or its attribute. */
function nameOf(control: Element): string {
  const labels = 'labels' in control ? [...((control as HTMLInputElement).labels ?? [])] : [];
  const names = [control.getAttribute('aria-label'), ...labels.map(({ textContent }) => textContent)];
  return [...names, control.matches('button') ? control.textContent : ''].join('').trim();
}

function listening(server: Server): Promise<string> {
  return new Promise((done) => {
    server.listen(0, '127.0.0.1', () => done(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`));
  });
}
