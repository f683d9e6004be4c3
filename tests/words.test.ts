import { readdirSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { createProgram } from '../src/faces/cli/run-command.ts';
import { type Prose, proseOfMarkdown, proseOfSource, sentencesOf } from './support/prose.ts';

/* Sources, documents and help are plain modern English: CONTRIBUTING.md has the rules. */

/** Phrases that make a reader read twice. */
const PHRASES =
  /\b(of which|whoever|whom|nobody|anew|thereby|(?<!there )(is|are) none|that there (is|are)|(is|are) (told|said)|goes by|taken for|comes of|got something else|it is no(?! longer)|goes on|nothing there|none of that name|is no (regular|token|function|dictionary|section)|, for (it|they|its \w+|the \w+) (is|are|was|were|has|have))\b|, as there (is|are)\b/i;

/** Words that are not the field's, rates without "per", and British spelling. */
const TERMS =
  /\b(beyond chance|which is chance|beside (PEFT|LoRA|AdaLoRA|PyTorch|transformers|llama)|over (int8|int4|float32)|at rest|in turn|by hand|an own|per cent|mistakes?|rooms of|data sets?|(un)?labell(ed|ing)|\w*(normal|initial|memor|summar|token|optim|serial|quant|recogn)is(e|ed|es|ing|ation)|colours?|behaviour|learnt|neighbours?|(tokens|examples|rows|numbers|batches|texts|requests) a (second|step|layer|row|batch))\b/i;

/** Beginnings of sentences that put the subject late. */
const INVERSIONS = /^(Where|Of|What is) (?!.*\?)/;
/** The same with every "What", for comments. */
const LATE_SUBJECTS = /^(Where|Of|What) (?!.*\?)/;

/** Longest sentence of the README and of help, in words. */
const MAX_WORDS = 30;

const DOCUMENTS = [
  ...[
    'README.md',
    'CONTRIBUTING.md',
    'DEPENDENCIES.md',
    'CHANGELOG.md',
    'SECURITY.md',
    'AGENTS.md',
    'models/mini/README.md',
  ],
  ...['docs', 'docs/results'].flatMap((folder) =>
    readdirSync(folder)
      .filter((name) => name.endsWith('.md'))
      .map((name) => `${folder}/${name}`),
  ),
];

function sources(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((path) => `${folder}/${path.replaceAll('\\', '/')}`)
    .filter((path) => path.endsWith('.ts'))
    .filter((path) => path !== 'tests/words.test.ts');
}

/** Whether a file may have something to find: parsing all files would take long. */
function isSuspicious(path: string): boolean {
  const flat = readFileSync(path, 'utf8').replaceAll(/\s+(\*|\/\/)?\s*/g, ' ');
  return PHRASES.test(flat) || TERMS.test(flat) || /\b(Where|Of|What) /.test(flat);
}

function problems(prose: readonly Prose[]): string[] {
  return prose.flatMap(({ path, line, kind, isHeading, text }) => {
    // Names in backticks have their own spelling, and so do strings without a space.
    const whole = text.replaceAll(/\s+/g, ' ').replaceAll(/`[^`]*`/g, 'code');
    const isName = kind === 'string' && !whole.includes(' ');
    const phrase = PHRASES.exec(whole)?.[0] ?? (isName ? undefined : TERMS.exec(whole)?.[0]);
    const sentences = kind === 'string' || isHeading ? [] : sentencesOf(whole.trim());
    const late = kind === 'comment' ? LATE_SUBJECTS : INVERSIONS;
    const found = phrase ?? sentences.find((sentence) => late.test(sentence));
    return found === undefined ? [] : [`${path}:${line}: ${found}`];
  });
}

it.each(['src', 'web', 'scripts', 'bench', 'tests'])(
  '%s has plain comments, messages and titles',
  (folder) => {
    expect(problems(sources(folder).filter(isSuspicious).flatMap(proseOfSource))).toEqual([]);
  },
);

it('the rules find an old phrase, an old term and an inverted sentence', () => {
  const piece = (text: string): Prose => ({ path: 'x.ts', line: 1, kind: 'comment', text });
  expect(
    problems([piece('The rows, of which some are left.'), piece('Where a key is missing, it is chosen.')]),
  ).toHaveLength(2);
  expect(problems([piece('The run goes on.'), piece('It stops, for the disk is full.')])).toHaveLength(2);
  expect(problems([piece('It reads 3 tokens a second.'), piece('What a run leaves.')])).toHaveLength(2);
  expect(problems([piece('It is normalised in turn.'), piece('The key `labelled` is read.')])).toHaveLength(
    1,
  );
  expect(problems([piece('Where is it? If a key is missing, it is chosen.')])).toEqual([]);
});

it('documents are plain', () => {
  expect(problems(DOCUMENTS.flatMap((path) => proseOfMarkdown(path)))).toEqual([]);
});

it('README and help have sentences of at most 30 words', () => {
  const program = createProgram();
  const help = [program, ...program.commands].flatMap((command) => [
    command.description(),
    ...command.registeredArguments.map(({ description }) => description),
    ...command.options.map(({ description }) => description),
  ]);
  const texts = [...help, ...proseOfMarkdown('README.md').map(({ text }) => text)];
  const long = texts.flatMap(sentencesOf).filter((sentence) => sentence.split(' ').length > MAX_WORDS);
  expect(long).toEqual([]);
});
