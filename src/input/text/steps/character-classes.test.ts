import { describe, expect, it } from 'vitest';
import { Effort } from '../../../support/regex/effort.ts';
import { AlignedText } from './aligned-text.ts';
import { CHARACTER_CLASSES } from './character-classes.ts';
import { bertNormalized, unicodeNormalized } from './normalizer.ts';
import { preTokenizer } from './pre-tokenizer.ts';

describe("character classes equal the Rust library's", () => {
  // The counts are from `scripts/oracle/character_classes.py`.
  it.each([
    ['nonspacing', 1567],
    ['combining', 2097],
    ['punctuation', 726],
  ] as const)('%s', (name, count) => {
    const pattern = new RegExp(CHARACTER_CLASSES[name], 'u');
    let found = 0;
    for (let code = 0; code < 0x110000; code++) found += Number(pattern.test(String.fromCodePoint(code)));
    expect(found).toBe(count);
  });

  it('a newer mark is not an accent, and newer symbols split no word', () => {
    const bert = { type: 'BertNormalizer', clean_text: true, handle_chinese_chars: true } as const;
    const stripped = (text: string) =>
      bertNormalized(AlignedText.of(text), { ...bert, strip_accents: true, lowercase: false }).text;
    expect(stripped('a\u0301\u180b\u180f')).toBe('a\u180f');
    const split = preTokenizer({ type: 'BertPreTokenizer' }, new Effort(1000));
    expect(split(AlignedText.of('a\u2e42b\u2e43c')).map(({ text }) => text)).toEqual([
      'a',
      '\u2e42',
      'b\u2e43c',
    ]);
  });

  it('newer characters are not decomposed', () => {
    expect(unicodeNormalized(AlignedText.of('\u32fe\u32ff\ufb01'), 'NFKC').text).toBe('ヲ\u32fffi');
  });
});
