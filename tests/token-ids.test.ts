import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { requireTexts } from '../src/program/modalities/texts.ts';
import { open } from '../src/use/trained/node/open.ts';
import { loadTokenizer } from './support/load-tokenizer.ts';
import { newFolder } from './support/new-folder.ts';
import { writeSmallGenerator } from './support/small-generator.ts';
import { TINY_CONFIG, TINY_TOKENIZER, writeTinyModel } from './support/tiny-model.ts';
import { writeTinyTextModel } from './support/tiny-text-model.ts';

const { added_tokens, model, post_processor } = TINY_TOKENIZER;
const size = TINY_CONFIG.vocab_size;

let folder: string;
beforeEach(() => {
  folder = newFolder();
});

/** The error when a model and its tokenizer are opened; undefined if there is none. */
async function complaint(): Promise<string | undefined> {
  try {
    const opened = await open(folder);
    const { vocabSize } = requireTexts(opened.parts.modality);
    await opened.close();
    const tokenizer = await loadTokenizer(folder, { typeVocabSize: 2 });
    return tokenizer.vocabSize <= vocabSize ? undefined : 'not seen';
  } catch (error) {
    return (error as Error).message.replaceAll(`${folder}/`, '');
  }
}

describe("a tokenizer's ids and types match the model's", () => {
  const added = (id: number) => [...added_tokens, { ...added_tokens[0], id, content: '<new>' }];
  const vocab = { ...model.vocab, new: size };
  const ended = (type_id: number) => [...post_processor.single, { SpecialToken: { id: '[SEP]', type_id } }];

  it.each([
    ['as they are', {}, undefined],
    [
      'a piece beyond',
      { model: { ...model, vocab } },
      `"new" has the id ${size}, but vocab_size in the model's config.json is ${size}; they do not belong together`,
    ],
    ['an added token beyond', { added_tokens: added(size + 9) }, `"<new>" has the id ${size + 9}`],
    [
      'an id that would take minutes',
      { added_tokens: added(2 ** 31) },
      'the id of token "<new>" is 2147483648, not an integer from 0',
    ],
    [
      'a negative one',
      { model: { ...model, vocab: { ...model.vocab, cat: -2 } } },
      'the id of token "cat" is -2, not an integer from 0',
    ],
    [
      'a type beyond',
      { post_processor: { ...post_processor, single: ended(2) } },
      "the template has the type 2, but the model's type_vocab_size is 2",
    ],
  ])('%s', async (_, changes, message) => {
    const heads = { num_labels: 2, architectures: ['BertForMaskedLM'] };
    writeTinyTextModel(folder, 'bert', { vocab_size: size, ...heads });
    writeFileSync(join(folder, 'tokenizer.json'), JSON.stringify({ ...TINY_TOKENIZER, ...changes }));
    const said = await complaint();
    if (message === undefined) expect(said).toBe(undefined);
    else {
      expect(said).toMatch(/^tokenizer\.json /);
      expect(said).toContain(message);
    }
  });
});

describe('tokens of config.json are in its vocabulary', () => {
  it('padding', async () => {
    expect(() => writeTinyModel(folder, { pad_token_id: size })).toThrow(
      `config.json, pad_token_id must be below ${size}, its vocab_size, got ${size}.`,
    );
    expect(() => writeTinyModel(folder, { model_type: 'roberta', pad_token_id: -2 })).toThrow('pad_token_id');
  });

  it('the start token of a decoder', async () => {
    expect(() => writeSmallGenerator(folder, 'bart', { decoder_start_token_id: 2 ** 31 })).toThrow(
      'config.json, decoder_start_token_id must be below',
    );
    writeSmallGenerator(folder, 'bart');
    const generation = { pad_token_id: 0, eos_token_id: 2, decoder_start_token_id: 2 ** 30 };
    writeFileSync(join(folder, 'generation_config.json'), JSON.stringify(generation));
    await using opened = await open(folder, { generates: true });
    await expect(opened.generate('the cat', { max_new_tokens: 1 })).rejects.toThrow(
      /the input has token id 1073741824, but the model's vocabulary has \d+/,
    );
  });
});
