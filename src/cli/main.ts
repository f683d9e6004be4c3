#!/usr/bin/env node
/** Commands that run models. */
const COMPUTING = ['train', 'eval', 'predict', 'generate', 'serve'];

/** Flags with which `plan` runs models in child processes, which inherit its environment. */
const MEASURING = /(^| )--(measure|processes)\b/;

const [, , command, ...words] = process.argv;
try {
  if (COMPUTING.includes(command) || (command === 'plan' && MEASURING.test(words.join(' ')))) {
    const { hugePageEnvironment } = await import('./huge-pages/huge-page-environment.ts');
    const { replaceProcess } = await import('./huge-pages/replace-process.ts');
    const environment = hugePageEnvironment();
    if (environment) await replaceProcess(environment);
  }
  // Loaded last, so that a process that is replaced does not load it first.
  await import('./program.ts');
} catch (error) {
  // If no more files can be opened, the program's own modules cannot be loaded, nor its better message.
  const { code, message } = error as NodeJS.ErrnoException;
  if (code !== 'EMFILE' && code !== 'ENFILE') throw error;
  console.error(`adalora: the system cannot open more files (${message}). Raise the limit (ulimit -n).`);
  process.exitCode = 2;
}
