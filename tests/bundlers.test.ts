import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { CHROMIUM, launch } from './browser/support/browser.ts';
import { fetching, packInto, reachesRegistry, runAsUser, userEnvironment } from './support/as-user.ts';
import { codeBlocks } from './support/code-blocks.ts';
import { newFolder } from './support/new-folder.ts';
import { writeTinyData } from './support/tiny-data.ts';

/*
 * Follows docs/servers.md for Next.js, Vite, Bun and Deno with the packed package and these tools from npm, a
 * gigabyte in all. tests/bundle.test.ts covers esbuild. LONG_TESTS=1 npx vitest run tests/bundlers.test.ts
 */
const TOOLS = ['next', 'react', 'react-dom', 'vite', 'bun', 'deno'];
const isAsked = process.env.LONG_TESTS !== undefined && reachesRegistry();

/** The document's code block that starts with this text. */
function documented(start: string): string {
  const found = codeBlocks('docs/servers.md').find(({ text }) => text.startsWith(start));
  if (found) return found.text;
  throw new Error(`docs/servers.md has no code that begins with ${start}`);
}

describe.skipIf(!isAsked)('the packed package (with LONG_TESTS=1, where npm reaches a registry)', () => {
  const folder = newFolder();
  const programs: ChildProcess[] = [];
  const write = (name: string, text: string) => {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  };
  const done = (command: string, ...words: string[]) => {
    const { status, stdout, stderr } = runAsUser(folder, command, ...words);
    expect(status, `${stdout}${stderr}`).toBe(0);
    return stdout;
  };

  beforeAll(() => {
    const archive = packInto(folder);
    write('package.json', '{ "type": "module" }');
    const { status, stderr } = fetching(folder, 'install', '--ignore-scripts', archive, ...TOOLS);
    expect(status, stderr).toBe(0);
    done(process.execPath, 'node_modules/bun/install.js');
    done(process.execPath, 'node_modules/deno/install.cjs');
    write('server.ts', documented("import { createServer } from 'node:http'"));
    writeTinyData(join(folder, 'rows.tsv'), 200, 1);
    const settings = ['training.max_steps=2', 'output=runs/server'].flatMap((setting) => ['--set', setting]);
    done(
      'npx',
      '--no-install',
      'adalora',
      'train',
      'rows.tsv',
      '--text',
      'sentence',
      '--label',
      'label',
      ...settings,
    );
  }, 700_000);
  afterEach(async () => {
    for (const program of programs.splice(0)) {
      if (program.exitCode !== null || program.signalCode !== null) continue;
      program.kill();
      await once(program, 'exit');
    }
  });

  it.each([
    ['Bun', ['node_modules/.bin/bun', 'server.ts']],
    ['Deno', ['node_modules/.bin/deno', 'run', '--allow-all', '--node-modules-dir=manual', 'server.ts']],
  ])('trains, answers over HTTP and ends in %s', { timeout: 300_000 }, (name, [command, ...words]) => {
    expect(readFileSync('docs/servers.md', 'utf8')).toContain(
      [name.toLowerCase(), ...words].slice(-5).join(' '),
    );
    // The test trains its own run.
    rmSync(join(folder, 'runs/server'), { recursive: true, force: true });
    // Some runtimes color their output.
    expect(done(command!, ...words)).toMatch(/label.*(good|bad).*probabilities/s);
  });

  it('answers in a standalone server of Next.js, away from its project', { timeout: 900_000 }, async () => {
    write('next.config.mjs', documented('// next.config.mjs'));
    write('app/predict/route.js', documented('// app/predict/route.js'));
    write('app/layout.jsx', 'export default ({ children }) => <html><body>{children}</body></html>;\n');
    const built = start(folder, { NEXT_TELEMETRY_DISABLED: '1' }, 'npx', 'next', 'build');
    expect((await once(built.process, 'exit'))[0], built.said()).toBe(0);
    const away = `${folder}-away`;
    try {
      cpSync(join(folder, '.next/standalone'), away, { recursive: true });
      cpSync(join(folder, 'runs'), join(away, 'runs'), { recursive: true });
      const port = await freePort();
      start(away, { PORT: `${port}` }, process.execPath, 'server.js');
      const response = await answerOf(`http://localhost:${port}/predict?text=a+cat`);
      expect(Object.keys(await response.json())).toEqual(['label', 'probabilities']);
    } finally {
      rmSync(away, { recursive: true, force: true });
    }
  });

  it.skipIf(!CHROMIUM).each([
    ['built', [['build'], ['preview']]],
    ['under development', [['dev']]],
  ])('trains in a page of Vite, %s', { timeout: 600_000 }, async (_, commands) => {
    write('vite.config.js', documented('// vite.config.js'));
    write('index.html', '<input type="file"><script type="module" src="/page.ts"></script>\n');
    write('page.ts', readFileSync('tests/browser/support/readme-page.ts', 'utf8'));
    for (const words of commands.slice(0, -1)) done('npx', 'vite', ...words);
    const port = await freePort();
    const words = [...commands.at(-1)!, '--port', `${port}`, '--strictPort'];
    const { said } = start(folder, {}, process.execPath, 'node_modules/vite/bin/vite.js', ...words);
    const browser = await launch();
    try {
      await answerOf(`http://localhost:${port}/`);
      const page = await browser.newPage();
      const lines: string[] = [];
      page.on('console', (message) => lines.push(message.text()));
      page.on('pageerror', (error) => lines.push(`error ${error.message}`));
      // Under development every module is a request of its own.
      await page.goto(`http://localhost:${port}/`, { timeout: 240_000 });
      await page.setInputFiles('input', join(folder, 'rows.tsv'));
      const ended = () => expect(lines.at(-1)).toMatch(/^(good|bad|error)/);
      await vi.waitFor(ended, { timeout: 240_000, interval: 500 });
      expect(
        lines.filter((line) => line.startsWith('error')),
        said(),
      ).toEqual([]);
      expect(lines.filter((line) => line.startsWith('finish'))).toEqual(['finish 30']);
    } finally {
      await browser.close();
    }
  });

  /** Starts a program that is stopped after the test. */
  function start(cwd: string, env: NodeJS.ProcessEnv, command: string, ...words: string[]) {
    const child = spawn(command, words, { cwd, env: { ...userEnvironment(), ...env } });
    let text = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (piece) => (text += piece));
    programs.push(child);
    return { process: child, said: () => text };
  }
});

async function answerOf(url: string): Promise<Response> {
  return vi.waitFor(
    async () => {
      const response = await fetch(url);
      if (response.ok) return response;
      throw new Error(`${response.status} ${await response.text()}`);
    },
    { timeout: 100_000, interval: 500 },
  );
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}
