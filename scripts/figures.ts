import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

/*
 * Writes docs/results/figures.json: the measured figures of each sentence of the documents, with the words that give them
 * a direction, and the file that has been measured or computed from. tests/figures.test.ts compares the documents with it,
 * so that no rewrite changes a figure or turns it over. Run it after a measurement: npx tsx scripts/figures.ts
 */

export const RECORD = 'docs/results/figures.json';

/** The figures of a sentence and its words of direction, in order, and the file that they come from, if one has them all. */
export type Claim = readonly [claim: string, source: string | null];

/** Numbers with a decimal point, times, and whole numbers with a unit. */
const FIGURE =
  /(?<![\w.,/-])[−-]?(?:\d[\d,]*\.\d+(?:e-?\d+)?|\.\d+|\d+:\d\d(?::\d\d)?|\d[\d,]*(?=\s?(?:%|s\b|ms\b|seconds?\b|minutes?\b|hours?\b|[kKMG]i?B\b|points?\b|times\b|x\b|tokens\b)))(?=x?\b|\W|$)(?!\d)/;
const DIRECTION =
  /\b(?:faster|slower|more|less|fewer|longer|shorter|larger|smaller|better|worse|higher|lower|ahead|behind|equal|same|above|below|beats?|without|as long|as many|as fast|as much|most|least)\b/;
const EITHER = new RegExp(`${FIGURE.source}|${DIRECTION.source}`, 'g');

/** The guides, the README and the results. Generated pages have no measured figures. */
export function listDocuments(): string[] {
  const guides = [...list('docs'), ...list('docs/results')].filter((path) => path.endsWith('.md'));
  const generated = ['docs/config.md', 'docs/commands.md'];
  return ['README.md', 'models/mini/README.md', ...guides.filter((path) => !generated.includes(path))];
}

const list = (folder: string) => readdirSync(folder).map((name) => `${folder}/${name}`);

/** The claims of a document in Markdown, in its order. It leaves out code and links. */
export function readClaims(text: string): string[] {
  const plain = text
    .replace(/```[\s\S]*?```|^ {4,}.*$|`[^`\n]*`/gm, '')
    .replace(/\]\([^)]*\)/g, ']')
    .replace(/\n(?=[|#-])/g, '\n\n');
  const sentences = plain.split(/\n\n+|(?<=[.:?!])\s+(?=[A-Z])/);
  return sentences.filter((one) => FIGURE.test(one)).map((one) => one.match(EITHER)!.join(' '));
}

/** Whether a text has all figures of a claim. */
export function hasFigures(text: string, claim: string): boolean {
  const figures = claim.split(' ').filter((word) => /\d/.test(word));
  return figures.every((figure) =>
    new RegExp(`(?<![\\d.,])${figure.replaceAll('.', '\\.')}(?!\\d)`).test(text),
  );
}

function writeRecord(): void {
  const sources = [...list('docs/results'), ...list('bench/log')].filter(
    (path) => /\.(md|json)$/.test(path) && path !== RECORD,
  );
  const files = new Map(sources.map((path) => [path, readFileSync(path, 'utf8')]));
  const findSource = (claim: string, document: string) =>
    sources.find((path) => path !== document && hasFigures(files.get(path)!, claim)) ?? null;
  const record = listDocuments().map((document): [string, Claim[]] => [
    document,
    readClaims(readFileSync(document, 'utf8')).map((claim) => [claim, findSource(claim, document)]),
  ]);
  for (const [document, claims] of record)
    for (const [claim, source] of claims)
      if (!source && !document.startsWith('docs/results/'))
        console.log(`${document}: no file of results or of the log has all of: ${claim}`);
  const lines = record.map(
    ([document, claims]) =>
      `${JSON.stringify(document)}: [${claims.map((one) => `\n  ${JSON.stringify(one)}`).join(',')}\n]`,
  );
  writeFileSync(RECORD, `{\n${lines.join(',\n')}\n}\n`);
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) writeRecord();
