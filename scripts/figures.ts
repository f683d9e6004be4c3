import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

/*
 * Writes docs/results/figures.json: the measured figures of each sentence of the documents, with the words that give them
 * a direction, and the file that has been measured or computed from. tests/figures.test.ts compares the documents with it,
 * so that no rewrite changes a figure or turns it over. Run it after a measurement: npx tsx scripts/figures.ts
 */

export const RECORD = 'docs/results/figures.json';

/** The figures of a sentence and its words of direction, in order, and the file that the measured ones come from, if one has them all. */
export type Claim = readonly [claim: string, source: string | null];

/** Any number that is not part of a name, such as that of a model or of a URL. */
const FIGURE =
  /(?<![\w./@#-])[−-]?(?:(?:\d{1,3}(?:,\d{3})+|\d+)(?:[.:]\d+)*|\.\d+)(?:e-?\d+)?(?=x\b|[kKMGT]i?B\b|ms\b|[^\w]|$)/;
/** Numbers with a decimal point, and times: they have been measured or computed. */
const MEASURED = /^[−-]?[\d,]*\.\d+(?:e-?\d+)?$|^\d+(?::\d\d)+$/;
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

/** The claims of a document in Markdown, in its order. It reads printed outputs, and leaves out other code and links. */
export function readClaims(text: string): string[] {
  const plain = text
    .replace(/^```(\w*)\n[\s\S]*?^```$/gm, (block, language) => (isOutput(language) ? block : ''))
    .replace(/^ {4,}.*$|^[#\s]*\d+\. /gm, '')
    .replace(/\]\([^)]*\)/g, ']')
    .replace(/\n(?=[|#-])/g, '\n\n');
  const sentences = plain.split(/\n\n+|(?<=[.:?!])\s+(?=[A-Z])/);
  return sentences.filter((one) => FIGURE.test(one)).map((one) => one.match(EITHER)!.join(' '));
}

const isOutput = (language: string) => language === 'text' || language === 'json';

/** The measured figures of a claim. */
export function measuredFigures(claim: string): string[] {
  return claim.split(' ').filter((word) => MEASURED.test(word));
}

/** Whether a file of results, or a section of the log, has all measured figures of a claim. */
export function hasFigures(path: string, claim: string): boolean {
  const text = readFileSync(path, 'utf8');
  const figures = measuredFigures(claim).map(
    (figure) => new RegExp(`(?<![\\d.,])${figure.replaceAll('.', '\\.')}(?!\\d)`),
  );
  const sections = path.startsWith('bench/') ? text.split(/\n(?=#+ )/) : [text];
  return sections.some((section) => figures.every((figure) => figure.test(section)));
}

function writeRecord(): void {
  const sources = [...list('docs/results'), ...list('bench/log')].filter(
    (path) => /\.(md|json)$/.test(path) && path !== RECORD,
  );
  const findSource = (claim: string) =>
    measuredFigures(claim).length > 0 ? sources.find((path) => hasFigures(path, claim)) : undefined;
  const record = listDocuments().map((document): [string, Claim[]] => [
    document,
    readClaims(readFileSync(document, 'utf8')).map((claim) => [claim, findSource(claim) ?? null]),
  ]);
  for (const [document, claims] of record)
    for (const [claim, source] of claims)
      if (!source && needsSource(document, claim))
        console.log(`${document}: no section of results or of the log has all of: ${claim}`);
  const lines = record.map(
    ([document, claims]) =>
      `${JSON.stringify(document)}: [${claims.map((one) => `\n  ${JSON.stringify(one)}`).join(',')}\n]`,
  );
  writeFileSync(RECORD, `{\n${lines.join(',\n')}\n}\n`);
}

/** Whether a claim has measured figures and its document is not a source of its own. */
export function needsSource(document: string, claim: string): boolean {
  return measuredFigures(claim).length > 0 && !document.startsWith('docs/results/');
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) writeRecord();
