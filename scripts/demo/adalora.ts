import { spawn } from 'node:child_process';

const PROGRAM = 'dist/cli/main.js';

/** Runs `adalora` with these arguments in this terminal. If it fails, this program exits with the same code. */
export async function adalora(...words: string[]): Promise<void> {
  console.log(`\n$ npx adalora ${words.join(' ')}`);
  await ended(words, 'inherit');
}

/** Runs `adalora` without showing its output, and returns the output. */
export async function adaloraQuietly(...words: string[]): Promise<string> {
  return ended(words, 'pipe');
}

function ended(words: readonly string[], stdout: 'inherit' | 'pipe'): Promise<string> {
  const child = spawn(process.execPath, [PROGRAM, ...words], { stdio: ['inherit', stdout, 'inherit'] });
  let printed = '';
  child.stdout?.setEncoding('utf8').on('data', (text) => {
    printed += text;
  });
  // Ctrl-C reaches both processes. Training finishes its step and writes a checkpoint, and this program waits
  // for it.
  const wait = () => {};
  process.on('SIGINT', wait);
  return new Promise((done, fail) => {
    child.on('error', fail);
    child.on('close', (code) => {
      process.off('SIGINT', wait);
      if (code === 0) done(printed);
      else process.exit(code ?? 1);
    });
  });
}
