import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { gzipSync } from 'node:zlib';
import { servePage } from '../../src/faces/servers/page/page-server.ts';
import { LOOKS, launch, openPage } from '../../tests/browser/support/browser.ts';
import { PageUser } from '../../tests/browser/support/page-user.ts';
import { tinyRows } from '../../tests/support/tiny-data.ts';
import { Workspace } from '../../tests/support/workspace.ts';

/*
 * npx tsx scripts/endurance/page.ts [--trainings 10] [--asleep 60] (build first; needs Chromium)
 *
 * The training page under strain: files that are large or made to harm, several trainings in one tab, and a tab that
 * sleeps during a training, frozen by the browser or stopped with its process. Prints times and the memory of the
 * browser's processes. The exit code is 1 if a file leaves the page without an answer, the tab takes a quarter more
 * memory after the last training than after the third, or a training that slept has another adapter than one that did not.
 */
const { values } = parseArgs({
  options: { trainings: { type: 'string', default: '10' }, asleep: { type: 'string', default: '60' } },
});
const MB = 1e6;
const workspace = new Workspace();
const problems: string[] = [];
const { url, server } = await servePage(0);
const browser = await launch();
try {
  const rows = workspace.path('rows.csv');
  const texts = tinyRows(300, 1).map(({ text, label }) => `"${text}",${label}`);
  writeFileSync(rows, ['sentence,quality', ...texts].join('\n'));
  await files(rows);
  await trainings(rows);
  await sleep(rows);
} finally {
  await browser.close();
  server.close();
  workspace.remove();
}
for (const problem of problems) console.log(problem);
process.exitCode = Number(problems.length > 0);

/** Opens each file, then a good one in the same tab. */
async function files(good: string): Promise<void> {
  const line = 'a row of some words,yes\n';
  const many = (size: number, text: string) => text.repeat(Math.ceil(size / text.length));
  const made: [name: string, content: () => string | Uint8Array][] = [
    ['zeros.csv.gz', () => gzipSync(Buffer.alloc(2000 * MB))],
    ['rows.csv.gz', () => gzipSync(many(400 * MB, line))],
    ['large.csv', () => `text,label\n${many(49 * MB, line)}`],
    ['too-large.csv', () => many(51 * MB, line)],
    ['one-line.csv', () => 'x'.repeat(49 * MB)],
    ['no-end.csv', () => `text,label\n"${many(49 * MB, line)}`],
    ['quotes.csv', () => `text,label\n${many(49 * MB, '"')}`],
    ['fields.csv', () => many(49 * MB, ',')],
    ['columns.csv', () => `${many(5000, 'a,')}b\n${many(49 * MB, `${many(5000, '1,')}2\n`)}`],
    ['lines.csv', () => '\n'.repeat(49 * MB)],
    ['brackets.jsonl', () => '['.repeat(49 * MB)],
    ['objects.jsonl', () => many(49 * MB, '{"text":"a","label":"b"}\n')],
    ['keys.jsonl', () => `{${Array.from({ length: 2 * MB }, (_, i) => `"${i}":1`).join()}}`],
    ['each-its-key.jsonl', () => Array.from({ length: MB }, (_, i) => `{"k${i}":1}`).join('\n')],
    ['bomb.parquet', () => readFileSync('src/input/data/parquet/fixtures/bomb.parquet')],
    ['endless.parquet', () => readFileSync('src/input/data/parquet/fixtures/endless.parquet')],
    ['labels.csv', () => `text,label\n${Array.from({ length: 2 * MB }, (_, i) => `a text,${i}`).join('\n')}`],
  ];
  for (const [name, content] of made) {
    const path = workspace.path(name);
    writeFileSync(path, content());
    const { page } = await openPage(browser, url, LOOKS[0]);
    const user = new PageUser(page);
    const startedAt = performance.now();
    const answer = await Promise.race([user.choose(path), setTimeout(120_000, undefined)]).catch(String);
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
    const memory = browserMemory();
    // The page must still answer, and take a good file.
    const after = await user.choose(good).catch(String);
    console.log(`${name}: ${seconds} s, ${memory} MB: ${answer === '' ? 'read' : answer}`);
    if (answer === undefined || after !== '') problems.push(`${name}: ${answer}, then ${after}`);
    await page.context().close();
  }
}

/** Trains repeatedly in one tab, and asks each trained model. */
async function trainings(rows: string): Promise<void> {
  const { page } = await openPage(browser, url, LOOKS[0]);
  const user = new PageUser(page);
  const looks: number[] = [];
  for (let i = 0; i < Number(values.trainings); i++) {
    await user.choose(rows);
    await user.train(1);
    const score = await user.score();
    await user.ask('the cat sat good.');
    looks.push(browserMemory());
    console.log(`training ${i + 1}: ${looks.at(-1)} MB. ${score}`);
  }
  if (looks.at(-1)! > 1.25 * looks[2]!) problems.push(`memory grew: ${looks}`);
  await page.context().close();
}

/** Trains with and without sleep. The adapters must be the same. */
async function sleep(rows: string): Promise<void> {
  const adapters: string[] = [];
  for (const how of ['awake', 'frozen', 'stopped'] as const) {
    const { page, complaints } = await openPage(browser, url, LOOKS[0]);
    const user = new PageUser(page);
    await user.choose(rows);
    await user.train(2);
    await user.step(3);
    const before = await page.locator('#step-line').textContent();
    if (how !== 'awake') {
      const wake = how === 'frozen' ? await freeze(page) : stop();
      await setTimeout(1000 * Number(values.asleep));
      await wake();
      console.log(`${how} at: ${before}; woken at: ${await page.locator('#step-line').textContent()}`);
    }
    console.log(`${how}: ${await user.score()} ${complaints.join('; ')}`);
    await user.download('Download the adapter', workspace.path(how));
    adapters.push(workspace.read(how, 'adapter_model.safetensors').toString('base64'));
    await page.context().close();
  }
  if (new Set(adapters).size > 1) problems.push('a training that slept differs');

  async function freeze(page: Awaited<ReturnType<typeof openPage>>['page']) {
    const session = await page.context().newCDPSession(page);
    await session.send('Page.setWebLifecycleState', { state: 'frozen' });
    return async () => {
      await session.send('Page.setWebLifecycleState', { state: 'active' });
    };
  }

  function stop() {
    const renderers = processes().filter(({ command }) => command.includes('--type=renderer'));
    for (const { pid } of renderers) process.kill(pid, 'SIGSTOP');
    return async () => {
      for (const { pid } of renderers) process.kill(pid, 'SIGCONT');
    };
  }
}

/** Resident memory in MB of all processes of the browser. */
function browserMemory(): number {
  return Math.round(processes().reduce((sum, { mb }) => sum + mb, 0));
}

/** The browser's processes, which are descendants of this one. */
function processes(): { pid: number; command: string; mb: number }[] {
  const all = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const status = readFileSync(`/proc/${name}/status`, 'utf8');
        const parent = Number(/^PPid:\s+(\d+)$/m.exec(status)?.[1]);
        // Shared pages are counted once for each process, so only its own count.
        const mb = Number(/^RssAnon:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) / 1024;
        return [{ pid: Number(name), parent, command: readFileSync(`/proc/${name}/cmdline`, 'utf8'), mb }];
      } catch {
        // It has ended meanwhile.
        return [];
      }
    });
  const found = new Set([process.pid]);
  for (let size = 0; size !== found.size; ) {
    size = found.size;
    for (const { pid, parent } of all) if (found.has(parent)) found.add(pid);
  }
  return all.filter(({ pid, command }) => found.has(pid) && command.includes('chrom'));
}
