#!/usr/bin/env node
try {
  await import('./program.ts');
} catch (error) {
  // If no more files can be opened, the module with the better error message cannot be loaded either.
  const { code, message } = error as NodeJS.ErrnoException;
  if (code !== 'EMFILE' && code !== 'ENFILE') throw error;
  console.error(`adalora: the system cannot open more files (${message}). Raise the limit (ulimit -n).`);
  process.exitCode = 2;
}
