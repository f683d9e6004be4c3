#!/usr/bin/env node
import { hugePageEnvironment } from './huge-pages/huge-page-environment.ts';
import { replaceProcess } from './huge-pages/replace-process.ts';

/** Commands that run models. */
const COMPUTING = ['train', 'eval', 'predict', 'generate'];

const [, , command, ...words] = process.argv;
// `plan --measure` runs them in children, which have their environment from it.
if (COMPUTING.includes(command) || (command === 'plan' && words.includes('--measure'))) {
  const environment = hugePageEnvironment();
  if (environment) await replaceProcess(environment);
}
// Not before: what a process has loaded is loaded again by the one that takes its place.
await import('./program.ts');
