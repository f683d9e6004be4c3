#!/usr/bin/env node
/** Commands that run models. */
const COMPUTING = ['train', 'eval', 'predict', 'generate', 'serve'];

/** What makes `plan` run them in children, which have their environment from it. */
const MEASURING = /(^| )--(measure|processes)\b/;

const [, , command, ...words] = process.argv;
try {
  if (COMPUTING.includes(command) || (command === 'plan' && MEASURING.test(words.join(' ')))) {
    const { hugePageEnvironment } = await import('./huge-pages/huge-page-environment.ts');
    const { replaceProcess } = await import('./huge-pages/replace-process.ts');
    const environment = hugePageEnvironment();
    if (environment) await replaceProcess(environment);
  }
  // Loaded last: a process that is replaced would have loaded it in vain.
  await import('./program.ts');
} catch (error) {
  // Where files cannot be opened the program itself cannot be read, and with it no better message.
  const { code, message } = error as NodeJS.ErrnoException;
  if (code !== 'EMFILE' && code !== 'ENFILE') throw error;
  console.error(
    `adalora: expected the system to open more files, got ${message}. Raise the limit (ulimit -n).`,
  );
  process.exitCode = 2;
}
