import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { type CodeBlock, codeBlocks } from './support/code-blocks.ts';
import { newWorkspace } from './support/commands.ts';
import { runTypeScript } from './support/run-typescript.ts';
import { tinyRows, writeTinyData } from './support/tiny-data.ts';
import { writeTinyModel } from './support/tiny-model.ts';
import { writeTinyTextModel } from './support/tiny-text-model.ts';

/*
 * Every code block in the documents is an example. TypeScript is checked and run here, and so are indented commands,
 * in a folder per document. A text block after a command is a part of its output, up to numbers. .ci/readme runs the commands in bash blocks, with the real model and data if available. Examples that neither runs
 * have a reason here.
 */

/** Examples that are not run, by their first characters. */
const NOT_RUN: Readonly<Record<string, string>> = {
  'npx adalora web': 'serves until it is ended; tests/web.test.ts does so',
  'npx adalora export runs/chat --as mlx':
    'needs a run of a chat model; the log has logits of mlx-lm beside ours',
  'npx adalora label': 'waits for keys; tests/label.test.ts presses them',
  "import { open } from 'adalora';\n\nconst records": 'wants a reranker; tests/reranking.test.ts opens one',
  'npx adalora mine pairs.jsonl --model runs/search --reranker': 'tests/reranking.test.ts does so',
  'npx adalora train labels/': 'reads the labels of such keys; the same test plans it',
  'cd node_modules && rm': 'deletes what the tests run with',
  'loss 0.0278, perplexity': 'a run of minutes, whose figures are in the log',
  'npx adalora init shop --task tools': 'downloads a model; tests/init.test.ts does so with a small one',
  'npm install adalora': 'tests/pack.test.ts does so with the package as it is packed',
  'npm run bench': 'measures for half an hour',
  BENCH_PYTHON: 'measures for an hour beside PEFT',
  'import pandas as pd': 'wants pandas',
  'import json\nimport numpy': 'wants NumPy',
  'import torch\nfrom peft': 'scripts/oracle/check.ts loads such folders with PEFT',
  'from peft import': 'scripts/oracle/check.ts loads such folders with PEFT',
  "import { pipeline } from '@huggingface/transformers'": 'tests/onnx-export.test.ts does so',
  "import { open, train } from 'adalora/web'": 'tests/browser/train-in-page.test.ts runs it in a page',
  "import { train } from 'adalora';\nimport './method.js'": 'tests/definitions.test.ts does so',
  "NODE_OPTIONS='--import ./method.js'": 'tests/definitions.test.ts does so',
  "import { train } from 'adalora';\nimport { wandb }": 'tests/trackers.test.ts does so',
  "import { defineConfig } from 'adalora'": 'src/faces/cli/run-config-at.test.ts trains with such a file',
  '// next.config.mjs': 'tests/bundlers.test.ts builds and asks such a server',
  '// app/predict/route.js': 'tests/bundlers.test.ts builds and asks such a server',
  '// vite.config.js': 'tests/bundlers.test.ts builds such a page',
  '// handler.mjs': 'tests/pack.test.ts answers events with it',
  'npx adalora serve': 'tests/serve.test.ts does so',
  'curl 127.0.0.1:8080': 'tests/serve.test.ts asks so',
  'npx adalora compare table1': 'tests/reproduce.test.ts does so with a small model',
  'npx adalora compare': 'tests/compare.test.ts does so with a small model',
  'npx adalora predict runs/squad': 'tests/question-answering.test.ts does so',
  "printf 'Who sat?": 'tests/question-answering.test.ts does so',
  'npx tsx scripts/large-checkpoint.ts': 'takes 14 GB of disk, 9 GB of memory and minutes',
  'mpirun -n 16': 'wants 16 hosts; tests/mpi.test.ts and tests/sweep.test.ts do so with small runs',
  '#!/usr/bin/env bash': 'wants hosts, Slurm or containers; the same tests run what they start',
  '# hosts': 'a file of a cluster',
  'mpiexec -f hosts': 'wants MPICH and hosts',
  'FROM node': 'wants Docker',
  'docker build': 'wants Docker; tests/serve.test.ts starts such a server',
  "import { adalora } from 'adalora/ai'": 'tests/clients.test.ts does so',
  'import { createCohere }': 'tests/clients.test.ts does so',
  'import { CohereRerank }': 'tests/clients.test.ts does so',
  'export HF_TOKEN': 'tests/push.test.ts does so with a small server',
  'npx adalora predict you/shop': 'downloads a model',
  "import { open } from 'adalora';\n\nconst model = await open('runs/chat')":
    'wants a chat model; tests/clients.test.ts does so',
  'npx adalora train clips --model openai': 'downloads a model; tests/speech.test.ts trains on such a folder',
  'npx adalora export runs/chat --as gguf': 'tests/gguf.test.ts does so',
  'npx adalora export BASE --as gguf': 'tests/gguf.test.ts does so',
  'npx adalora export runs/few --as merged': 'tests/setfit.test.ts does so',
  'import numpy as np\nfrom safetensors': 'wants SetFit; tests/setfit.test.ts compares the files',
  'config = AdaLoraConfig(': 'the same training with PEFT',
  'model = SetFitModel': 'the same training with SetFit',
  'const manager = new NlpManager': 'the same training with node-nlp',
  "import { open, train } from 'adalora';\n\nawait train({ data: { train: rows":
    'wants rows; tests/library.test.ts trains on rows in memory',
  'cd prefer && npx adalora train': 'downloads a model; tests/init.test.ts trains with such a config',
  'cd chat && npx adalora train': 'downloads a model; tests/init.test.ts trains with such a config',
  'npx adalora generate runs/first': 'wants that training',
  'node_modules/.bin/adalora predict': 'wants Slurm; tests/first-week.test.ts predicts a part of a file',
  "import { open } from 'adalora';\n\nconst model = await open<'token_classification'>":
    'wants the run of the commands before it',
  'text\tlabel': 'the first rows of a file',
  'message,queue': 'the first rows of a file',
  'npx adalora train shop/train.tsv --model': 'downloads BERT-base',
  'npx adalora train rows.tsv --model sentence': 'downloads a model; tests/soft-labels.test.ts does so',
  'npx adalora train rows.tsv --output runs/taught': 'wants the teacher of the command before it',
  'adalora on cpu: 200 examples, 100 steps (2 epochs), 691,920': 'the output of a run that downloads a model',
};

// docs/reference and docs/commands.md are generated.
const DOCUMENTS = [
  'README.md',
  'models/mini/README.md',
  ...documentsIn('docs'),
  ...documentsIn('docs/results'),
];

function documentsIn(folder: string): string[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.md') && name !== 'commands.md')
    .map((name) => `${folder}/${name}`);
}

/** A text block is output if at most this many lines are between it and the command. */
const LINES_BETWEEN = 4;
/** Blocks that show the output of a command. */
const outputs = new Set<CodeBlock>();

const blocks = DOCUMENTS.flatMap(codeBlocks);
const isExcused = (text: string) => Object.keys(NOT_RUN).some((start) => text.startsWith(start));
const isTypeScript = ({ language }: CodeBlock) => ['ts', 'typescript', 'js', 'javascript'].includes(language);
const isData = ({ language }: CodeBlock) => ['json', 'yaml'].includes(language);
const isBash = ({ language }: CodeBlock) => ['bash', 'sh'].includes(language);
const place = ({ document, line }: CodeBlock) => `${document}:${line}`;
const commandsOf = ({ text }: CodeBlock) => text.trimEnd().replaceAll('\\\n', ' ').split('\n');

const programs = blocks.filter((block) => isTypeScript(block) && !isExcused(block.text));
const commands = blocks
  .filter((block) => block.language === '' && !isExcused(block.text))
  .flatMap((block) => {
    const lines = commandsOf(block);
    return lines.map((command, i) => ({
      where: place(block),
      document: block.document,
      command,
      output: i === lines.length - 1 ? outputAfter(block) : [],
    }));
  })
  .filter(({ command }) => !isExcused(command));

/** The lines that a document shows as the output of a block's last command. */
function outputAfter(block: CodeBlock): string[] {
  const next = blocks[blocks.indexOf(block) + 1];
  const isOutput =
    next?.document === block.document &&
    next.language === 'text' &&
    !isExcused(next.text) &&
    next.line <= block.line + commandsOf(block).length + LINES_BETWEEN;
  if (!isOutput) return [];
  outputs.add(next);
  return next.text.trimEnd().split('\n');
}

/** A line of output without its numbers, which depend on the machine, and without repeated spaces. */
const shapeOf = (line: string) =>
  line
    .trim()
    .replaceAll(/\d[\d,.:e-]*/g, '#')
    .replaceAll(/\s+/g, ' ');

const bashCommands = blocks.filter(isBash).flatMap(commandsOf);

/** One of them trains with all defaults, which takes over two minutes on a busy machine. */
const COMMAND_MS = 300_000;

const workspace = newWorkspace();
beforeAll(() => {
  // Some examples train the built-in model with all defaults.
  writeTinyData(workspace.path('train.tsv'), 64, 1);
  writeTinyData(workspace.path('dev.tsv'), 24, 2);
  const pairs = tinyRows(12, 3).map(({ text, label }) => ({ question: text, answer: `${label}: ${text}` }));
  workspace.write('pairs.jsonl', pairs.map((pair) => `${JSON.stringify(pair)}\n`).join(''));
  writeTinyModel(workspace.path('sentence-transformers', 'all-MiniLM-L6-v2'));
  const tickets = tinyRows(64, 4).map(({ text, label }) => `"${text}",${label}`);
  workspace.write('tickets.csv', ['message,queue', ...tickets, ''].join('\n'));
  symlinkSync(resolve('examples'), workspace.path('examples'));
  symlinkSync(resolve('examples/starter'), workspace.path('shop'));
  // `npx adalora` is the built program, as in a checkout.
  mkdirSync(workspace.path('bin'));
  workspace.write(
    'bin/npx',
    `#!/bin/sh\nshift\nexec '${process.execPath}' '${resolve('dist/cli/main.js')}' "$@"\n`,
  );
  chmodSync(workspace.path('bin', 'npx'), 0o755);
  workspace.write('texts.txt', 'Where is it?\nThe cat sat.\n');
  writeTinyTextModel(workspace.path('HuggingFaceTB', 'SmolLM2-135M-Instruct'), 'llama');
  const turns = tinyRows(40, 1).map(({ text, label }) => [
    { role: 'user', content: text },
    { role: 'assistant', content: label },
  ]);
  workspace.write('chats.jsonl', turns.map((messages) => `${JSON.stringify({ messages })}\n`).join(''));
});

/** The folder for a document's commands: with the data, the models, and the configs that the document shows. */
function folderOf(document: string): string {
  const folder = workspace.path('documents', document.replaceAll('/', '-'));
  if (existsSync(folder)) return folder;
  mkdirSync(folder, { recursive: true });
  const shared = ['train.tsv', 'dev.tsv', 'tickets.csv', 'pairs.jsonl', 'chats.jsonl', 'texts.txt'];
  shared.push('examples', 'sentence-transformers', 'HuggingFaceTB');
  for (const name of shared) symlinkSync(workspace.path(name), join(folder, name));
  for (const { text } of blocks.filter((block) => block.document === document && block.language === 'yaml')) {
    const [, name] = /^# ([\w-]+\.yaml)\n/.exec(text) ?? [];
    if (name) writeFileSync(join(folder, name), text);
  }
  return folder;
}

describe('programs in TypeScript', () => {
  it('exist', () => expect(programs.length).toBeGreaterThan(0));

  it.each(programs.map((block) => [place(block), block] as const))(
    '%s',
    { timeout: COMMAND_MS },
    (where, { text }) => {
      expect(runTypeScript(workspace.folder, where.replaceAll(/\W/g, '-'), text)).not.toBe('');
    },
  );

  it('fail on wrong types, and on their own errors', () => {
    const wrong = `import { trian } from 'adalora'; import { train } from 'adalora'; await train({ model: 3 })`;
    const run = (name: string, text: string) => () => runTypeScript(workspace.folder, name, text);
    expect(run('wrong-types', wrong)).toThrow(/no exported member.*trian.*number.*not assignable/s);
    expect(run('mistake', `throw new Error('no')`)).toThrow(/exit code 1: .*Error: no/s);
  });
});

it.each(commands)('$where: $command', { timeout: COMMAND_MS + 10_000 }, ({ document, command, output }) => {
  const { status, stderr, stdout } = spawnSync('bash', ['--norc', '-euo', 'pipefail', '-c', command], {
    cwd: folderOf(document),
    encoding: 'utf8',
    env: {
      ...process.env,
      PATH: `${workspace.path('bin')}${delimiter}${process.env.PATH}`,
      HF_HUB_OFFLINE: '1',
      NO_COLOR: '1',
    },
    timeout: COMMAND_MS,
    // The typed messages of a conversation.
    input: 'the cat sat.\n',
  });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect(stdout).not.toBe('');
  const printed = stdout.split('\n').map(shapeOf);
  expect(output.filter((line) => !printed.includes(shapeOf(line)))).toEqual([]);
});

it('runs every command of a bash block in .ci/readme, or says why not', () => {
  const [, leftOut] = readFileSync('.ci/readme', 'utf8').match(/grep -vE '(.*)'/) ?? [];
  const skipped = bashCommands
    .map((command) => command.replace(/^npm ci && /, ''))
    .filter((command) => new RegExp(leftOut!).test(command));
  expect(skipped.filter((command) => !isExcused(command))).toEqual([]);
  expect(bashCommands.length).toBeGreaterThan(skipped.length);
});

it.each(blocks.filter(isData).map((block) => [place(block), block.text]))('%s is valid', (_, text) => {
  // JSON is YAML too.
  expect(parseAllDocuments(text).flatMap(({ errors }) => errors)).toEqual([]);
});

it('handles every block, and excuses only existing ones', () => {
  const known = (block: CodeBlock) =>
    isTypeScript(block) || isBash(block) || isData(block) || block.language === '' || outputs.has(block);
  expect(blocks.filter((block) => !known(block) && !isExcused(block.text)).map(place)).toEqual([]);
  const examples = blocks.flatMap((block) => [block.text, ...commandsOf(block)]);
  const stale = Object.keys(NOT_RUN).filter((start) => !examples.some((text) => text.startsWith(start)));
  expect(stale).toEqual([]);
});
