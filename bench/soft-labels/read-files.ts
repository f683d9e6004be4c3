import { readdirSync, readFileSync } from 'node:fs';

/** A row of a classification file. */
export interface Row {
  text: string;
  label: string;
}

const DATA = '../shared/data';
const lines = (path: string) => readFileSync(`${DATA}/${path}`, 'utf8').split('\n').slice(0, -1);

/** The sentiment of phrases of film reviews. */
const sentiments = (): Row[] =>
  lines('glue/SST-2/train.tsv')
    .slice(1)
    .map((line) => line.split('\t') as [string, string])
    .filter(([text]) => text.split(' ').length > 8)
    .map(([text, label]) => ({ text: text.trim(), label: label === '1' ? 'positive' : 'negative' }));

/** The collection of a passage of 25 words: news of three publishers, or summaries of papers. */
const sources = (): Row[] =>
  [
    'cnn_dailymail/validation_first1000.csv',
    'xsum/test_1000.jsonl',
    'scitldr/train.jsonl',
    'text/wikinews/wiki_00.jsonl',
  ].flatMap((path) => {
    const words = readFileSync(`${DATA}/${path}`, 'utf8')
      .slice(0, 400_000)
      .replaceAll(/"\w+": |\\n|[[\]{}"]/g, ' ')
      .split(/\s+/);
    return Array.from({ length: Math.floor(words.length / 25) }, (_, i) => ({
      text: words.slice(25 * i, 25 * (i + 1)).join(' '),
      label: path.split('/').at(-2)!,
    }));
  });

/** The price range that a description of a restaurant mentions, if any. */
const prices = (): Row[] =>
  [...readFileSync(`${DATA}/e2e/devset.csv`, 'utf8').matchAll(/^"([^"]*)",(?:"((?:[^"]|"")*)"|(.*))$/gm)].map(
    ([, slots, quoted, plain]) => ({
      text: (quoted ?? plain ?? '').replaceAll('""', '"').replace(/\s+/g, ' ').trim(),
      label: /priceRange\[([^\]]*)\]/.exec(slots!)?.[1] ?? 'none',
    }),
  );

/** The novel of a passage of 40 words. */
const novels = (): Row[] =>
  readdirSync(`${DATA}/text/novels`)
    .filter((_, i) => i % 4 === 0)
    .slice(0, 6)
    .flatMap((name) => {
      const words = readFileSync(`${DATA}/text/novels/${name}`, 'utf8').split(/\s+/).slice(500, 40_500);
      return Array.from({ length: Math.floor(words.length / 40) }, (_, i) => ({
        text: words.slice(40 * i, 40 * (i + 1)).join(' '),
        label: name.split('_')[0]!,
      }));
    });

/** Four classification files, made from those of `../shared/data`, with different texts. */
export const FILES = Object.fromEntries(
  Object.entries({ sentiments, sources, prices, novels }).map(([name, read]) => [
    name,
    () => {
      const all = read().filter(({ text }) => text !== '' && !text.includes('\t'));
      return [...new Map(all.map((row) => [row.text, row])).values()];
    },
  ]),
);
