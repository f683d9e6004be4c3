import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { newWorkspace } from './support/commands.ts';
import { compileTypeScript } from './support/run-typescript.ts';

/* The docstrings of the functions that most programs call: complete, and with an example that compiles. */

const FUNCTIONS = [
  ['open', 'src/studies/jobs/node/main-entry.ts', 'export async function openTrained'],
  ['train', 'src/studies/jobs/node/main-entry.ts', 'export async function train('],
  ['plan', 'src/studies/jobs/node/main-entry.ts', 'export async function plan('],
  ['predict', 'src/use/trained/thread/model-in-thread.ts', '  predict(text: string'],
  ['generate', 'src/use/trained/trained-model.ts', '  async generate('],
  ['defineMethod', 'src/methods/tuners/method-definition.ts', 'export function defineMethod<'],
  ['defineTask', 'src/tasks/define-task.ts', 'export function defineTask('],
] as const;

/** The docstring before a declaration, without its stars. */
function docstringOf(path: string, declaration: string): string {
  const [before] = readFileSync(path, 'utf8').split(`\n${declaration}`);
  return before!.slice(before!.lastIndexOf('/**')).replaceAll(/^ *(\/\*\*|\*\/|\*) ?/gm, '');
}

const workspace = newWorkspace();

describe.each(FUNCTIONS)('the docstring of %s', (name, path, declaration) => {
  const text = docstringOf(path, declaration);

  it.each(['@param', '@returns', '@throws', '@example'])('has %s', (tag) => {
    expect(text).toMatch(new RegExp(`^${tag}\\b`, 'm'));
  });

  // The first one reads all declarations, which takes long on a busy machine.
  it('has an example that compiles', { timeout: 300_000 }, () => {
    const [, program] = /^```ts\n(.*?)^```/ms.exec(text)!;
    expect(() => compileTypeScript(workspace.folder, `example-${name}`, program!)).not.toThrow();
  });
});
