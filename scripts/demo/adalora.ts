import { spawn } from 'node:child_process';

const PROGRAM = 'dist/cli/main.js';

/** Runs `adalora` with these arguments on this terminal. If it fails, this program ends with the same exit code. */
export async function adalora(...words: string[]): Promise<void> {
  console.log(`\n$ npx adalora ${words.join(' ')}`);
  await ended(words, 'inherit');
}

/** The same without output; returns what it prints. */
export async function adaloraQuietly(...words: string[]): Promise<string> {
  return ended(words, 'pipe');
}

function ended(words: readonly string[], stdout: 'inherit' | 'pipe'): Promise<string> {
  const child = spawn(process.execPath, [PROGRAM, ...words], { stdio: ['inherit', stdout, 'inherit'] });
  let printed = '';
  child.stdout?.setEncoding('utf8').on('data', (text) => {
    printed += text;
  });
  // Ctrl-C reaches both: training finishes its step and writes a checkpoint, and this program waits for it.
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
