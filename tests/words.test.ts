import { readdirSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { createProgram } from '../src/cli/create-program.ts';
import { type Prose, proseOfMarkdown, proseOfSource, sentencesOf } from './support/prose.ts';

/* Sources, documents and help are plain modern English: CONTRIBUTING.md has the rules. */

/** Phrases that make a reader read twice. */
const PHRASES =
  /\b(of which|whoever|whom|nobody|anew|thereby|(?<!there )(is|are) none|that there (is|are)|(is|are) (told|said)|goes by|taken for|comes of|got something else|it is no(?! longer)|goes on|nothing there|none of that name|is no (regular|token|function|dictionary|section)|, for (it|they|its \w+|the \w+) (is|are|was|were|has|have))\b|, as there (is|are)\b/i;

/** Beginnings of sentences that put the subject late. */
const INVERSIONS = /^(Where|Of|What is) (?!.*\?)/;

/** Longest sentence of the README and of help, in words. */
const MAX_WORDS = 30;

/** Ends of paths in which test names are not rewritten yet. */
const OLD = ['.test.ts'];

const DOCUMENTS = [
  ...['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', 'SECURITY.md', 'AGENTS.md', 'models/mini/README.md'],
  ...readdirSync('docs')
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
];

function sources(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((path) => `${folder}/${path.replaceAll('\\', '/')}`)
    .filter((path) => path.endsWith('.ts') && !OLD.some((end) => path.endsWith(end)));
}

/** Whether a file may have something to find: parsing all files would take long. */
function isSuspicious(path: string): boolean {
  const flat = readFileSync(path, 'utf8').replaceAll(/\s+(\*|\/\/)?\s*/g, ' ');
  return PHRASES.test(flat) || /\b(Where|Of|What is) /.test(flat);
}

function problems(prose: readonly Prose[]): string[] {
  return prose.flatMap(({ path, line, kind, isHeading, text }) => {
    const whole = text.replaceAll(/\s+/g, ' ');
    const phrase = PHRASES.exec(whole)?.[0];
    const sentences = kind === 'string' || isHeading ? [] : sentencesOf(text);
    const inversion = sentences.find((sentence) => INVERSIONS.test(sentence));
    const found = phrase ?? inversion;
    return found === undefined ? [] : [`${path}:${line}: ${found}`];
  });
}

it.each(['src', 'web', 'scripts', 'bench'])('%s has plain comments and messages', (folder) => {
  expect(problems(sources(folder).filter(isSuspicious).flatMap(proseOfSource))).toEqual([]);
});

it('finds an old phrase and an inverted sentence', () => {
  const piece = (text: string): Prose => ({ path: 'x.ts', line: 1, kind: 'comment', text });
  expect(
    problems([piece('The rows, of which some are left.'), piece('Where a key is missing, it is chosen.')]),
  ).toHaveLength(2);
  expect(problems([piece('The run goes on.'), piece('It stops, for the disk is full.')])).toHaveLength(2);
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
