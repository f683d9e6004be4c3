import { expect, it } from 'vitest';
import { looksEnglish } from './looks-english.ts';

const repeated = (texts: string[]) => texts.flatMap((text) => Array.from({ length: 12 }, () => text));

it.each([
  ['German', 'Die Ware ist noch nicht da, und ich habe sie vor zwei Wochen bei Ihnen bestellt.'],
  ['French', 'Le colis est arrivé hier, mais il manque une des pièces que vous avez promises.'],
  ['Finnish', 'Paketti ei ole vielä tullut, ja se on tilattu jo kaksi viikkoa sitten.'],
  ['Russian', 'Посылка ещё не пришла'],
  ['Japanese', '荷物はまだ届いていません'],
])('tells %s from English', (_, text) => {
  expect(looksEnglish(repeated([text]))).toBe(false);
});

it.each([
  ['names', ['Krzysztof Wiśniewski', 'Nguyen Hoang', 'Søren Kjærgaard', 'Oluwaseun Adebayo', 'Maria Garcia']],
  ['names in sentences', ['Please call Müller about the parcel for José', 'Zhou: is it SKU-12 or SKU-14?']],
  [
    'code',
    ['if (error) return new Map(rows.map((row) => [row.id, row]));', 'for (const key of all) set(key)'],
  ],
  ['few letters', ['Hallo Welt', 'Guten Tag']],
])('does not take %s for another language', (_, texts) => {
  const all = texts.length > 2 || texts[0]!.length > 20 ? repeated(texts) : texts;
  expect(looksEnglish(all)).toBe(true);
});
