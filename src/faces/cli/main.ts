#!/usr/bin/env node
import { hugePageEnvironment, isWorthRestart, replaceProcess } from './huge-pages.ts';

const [, , command, ...words] = process.argv as [string, string, string, ...string[]];
try {
  if (isWorthRestart(command, words)) {
    const environment = hugePageEnvironment();
    if (environment) await replaceProcess(environment);
  }
  // Loaded last: if the process is replaced, loading it would be wasted time.
  await import('./program.ts');
} catch (error) {
  // If no more files can be opened, the module with the better error message cannot be loaded either.
  const { code, message } = error as NodeJS.ErrnoException;
  if (code !== 'EMFILE' && code !== 'ENFILE') throw error;
  console.error(`adalora: the system cannot open more files (${message}). Raise the limit (ulimit -n).`);
  process.exitCode = 2;
}
