#!/usr/bin/env node
import { hugePageEnvironment } from './huge-pages/huge-page-environment.ts';
import { replaceProcess } from './huge-pages/replace-process.ts';

/** Commands that run models. */
const COMPUTING = ['train', 'eval', 'predict', 'generate'];

/** What makes `plan` run them in children, which have their environment from it. */
const MEASURING = /(^| )--(measure|processes)\b/;

const [, , command, ...words] = process.argv;
if (COMPUTING.includes(command) || (command === 'plan' && MEASURING.test(words.join(' ')))) {
  const environment = hugePageEnvironment();
  if (environment) await replaceProcess(environment);
}
// Loaded last: a process that is replaced would have loaded it in vain.
await import('./program.ts');
