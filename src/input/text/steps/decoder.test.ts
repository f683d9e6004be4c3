import { Tokenizer as RustTokenizer } from 'tokenizers';
import { expect, it } from 'vitest';
import { decoder } from './decoder.ts';
import { tokenizerJson } from './tokenizer-json.ts';

const byteLevel = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true };
const strip = { type: 'Strip', content: 'x', start: 2, stop: 1 };
const metaspace = { type: 'Metaspace', replacement: '▁', prepend_scheme: 'always', split: true };
const BYTES = ['<0xE2>', '<0x82>', '<0xAC>'];

const model = { type: 'WordPiece', vocab: { a: 0 }, unk_token: 'a', continuing_subword_prefix: '##' };
const tokenizer = (section: object) => ({
  version: '1.0',
  added_tokens: [],
  model: { ...model, max_input_chars_per_word: 9 },
  decoder: section,
});

it.each<[object, string[][]]>([
  [
    byteLevel,
    [
      ['Ġa', 'é x', 'Ã©', 'Ã', '日'],
      ['Ã', '©', 'Ġ'],
      ['ï»¿', 'a'],
      ['âĤ', '¬', 'âĤ'],
    ],
  ],
  [
    { type: 'ByteFallback' },
    [
      [...BYTES, 'x'],
      ['x', ...BYTES.slice(1), 'y', ...BYTES],
      ['<0xEF>', '<0xBB>', '<0xBF>', 'a'],
      [...BYTES, '<0xff>'],
      ['<0xG0>'],
    ],
  ],
  [{ type: 'WordPiece', prefix: '##', cleanup: true }, [['##a', '##b', '.', "n't", "'", '##s', 'a', '!']]],
  [{ type: 'WordPiece', prefix: '##', cleanup: false }, [['##a', '##b', '.', "n't"]]],
  [{ type: 'WordPiece', prefix: '', cleanup: true }, [['a', 'b', ' .']]],
  [
    metaspace,
    [
      ['▁▁a▁b', '▁c'],
      ['a', '▁▁'],
    ],
  ],
  [{ ...metaspace, prepend_scheme: 'never' }, [['▁▁a▁b', '▁c']]],
  [{ ...metaspace, prepend_scheme: 'first' }, [['▁a', '▁c']]],
  [
    { type: 'BPEDecoder', suffix: '</w>' },
    [
      ['a', 'b</w>', 'c</w>'],
      ['</w></w>', 'a'],
    ],
  ],
  [{ type: 'Replace', pattern: { Regex: 'a+' }, content: '$&b' }, [['caac', 'x', 'a']]],
  [{ type: 'Replace', pattern: { String: '.' }, content: '' }, [['.a.', 'b']]],
  [strip, [['xxxax', 'xxxx', 'abx']]],
  [{ ...strip, content: '😀' }, [['😀a😀']]],
  [{ type: 'Fuse' }, [['a', 'b']]],
  [
    {
      type: 'Sequence',
      decoders: [
        { type: 'Replace', pattern: { String: '▁' }, content: ' ' },
        { type: 'Sequence', decoders: [{ type: 'ByteFallback' }, { type: 'Fuse' }] },
        { type: 'Strip', content: ' ', start: 1, stop: 0 },
      ],
    },
    [['▁a', ...BYTES, '▁b'], ['▁▁a'], []],
  ],
])('%j equals the Rust library', (section, lists) => {
  const json = tokenizer(section);
  const decode = decoder(tokenizerJson.parse(json).decoder, []);
  const rust = RustTokenizer.fromString(JSON.stringify(json)).getDecoder()!;
  for (const tokens of lists) expect(decode(tokens), tokens.join('|')).toBe(rust.decode(tokens));
});

it('keeps added tokens as text, also inside a sequence', () => {
  const added = tokenizerJson.shape.added_tokens.parse([{ id: 0, content: 'é' }]);
  const sequence = tokenizerJson.shape.decoder.parse({ type: 'Sequence', decoders: [byteLevel] });
  expect(decoder(sequence, added)(['Ã©', 'é'])).toBe('éé');
});

it('joins tokens with spaces if there is no decoder', () => {
  expect(decoder(null, [])(['a', 'b'])).toBe('a b');
});
