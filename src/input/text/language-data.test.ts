import { describe, expect, it } from 'vitest';
import { fixtureTokenizer, languageFixture, TOKENIZERS } from '../../../tests/support/language-fixtures.ts';
import { type ChatMessage, ChatTemplate, conversationIds } from './chat/chat-template.ts';
import { documentIds, promptIds } from './document-ids.ts';
import { commonPrefix } from './learnt-ids.ts';
import type { SpecialTokens } from './special-tokens.ts';
import { TextStream } from './text-stream.ts';

interface Oracle {
  texts: string[];
  encodings: Record<string, { ids: number[]; decoded: string }[]>;
  prompts: {
    tokenizer: string;
    prompt: string;
    completion: string;
    ids: number[];
    mask: number[];
    /** Whether the tokens of both texts begin with the prompt's tokens. */
    aligned: boolean;
  }[];
  templates: Record<string, string>;
  chats: {
    tokenizer: string;
    special: SpecialTokens;
    template: string;
    messages: ChatMessage[];
    text: string;
    prompt: string;
    ids: number[];
    mask: number[];
  }[];
}

const oracle: Oracle = languageFixture('oracle');
const tokenizers = Object.fromEntries(TOKENIZERS.map((name) => [name, fixtureTokenizer(name).tokenizer]));

describe.each(TOKENIZERS)('%s', (name) => {
  const tokenizer = tokenizers[name]!;

  it('has the ids of the Rust library, however a text is split', () => {
    expect(oracle.texts.map((text) => [...tokenizer.ids(text)])).toEqual(
      oracle.encodings[name]!.map(({ ids }) => ids),
    );
  });

  it('decodes them at once and one by one', () => {
    for (const { ids, decoded } of oracle.encodings[name]!) {
      expect(tokenizer.decode(ids)).toBe(decoded);
      const stream = new TextStream(tokenizer);
      const parts = ids.map((id) => stream.add(id));
      expect([...parts, stream.end()].join('')).toBe(decoded);
      expect(parts.filter((part) => part.includes('\ufffd'))).toEqual([]);
    }
  });

  it('splits long texts, which would otherwise take too long', () => {
    const text = `${oracle.texts[2]} `.repeat(100);
    const reports: number[] = [];
    const ids = tokenizer.ids(text, (characters) => reports.push(characters));
    expect(reports.length).toBeGreaterThan(1);
    const [once, twice] = [1, 2].map(
      (times) => tokenizer.ids(`${oracle.texts[2]} `.repeat(times)).length,
    ) as [number, number];
    expect(ids.length).toBe(once + 99 * (twice - once));
  });
});

describe('prompts with completions', () => {
  it.each(oracle.prompts)('$tokenizer: "$prompt" and "$completion"', (expected) => {
    const { prompt, completion, ids, mask, aligned } = expected;
    const tokenizer = tokenizers[expected.tokenizer]!;
    const { before } = tokenizer.frame();
    const made = promptIds(tokenizer, prompt, completion);
    expect([...made.ids]).toEqual(ids);
    if (aligned) expect([...made.learnt]).toEqual(mask);
    // TRL uses the prompt's own number of tokens. Here the border is inside a token, and the whole token is learned.
    else expect(made.learnt.indexOf(1)).toBe(commonPrefix(ids, [...before, ...tokenizer.ids(prompt)]));
  });

  it('end once', () => {
    const { tokenizer } = fixtureTokenizer('gpt2');
    const end = tokenizer.idOf('eos_token');
    expect(documentIds(tokenizer, 'the end<|endoftext|>')).toEqual(documentIds(tokenizer, 'the end'));
    expect(documentIds(tokenizer, 'the end').at(-1)).toBe(end);
  });
});

describe('chats', () => {
  it.each(oracle.chats)('$template: $text', ({ tokenizer, special, template, messages, ...expected }) => {
    const chat = new ChatTemplate(oracle.templates[template]!, special, { where: 'test' });
    expect(chat.render(messages, false)).toBe(expected.text);
    expect(chat.render(messages, true)).toBe(expected.prompt);
    const { ids, learnt } = conversationIds(tokenizers[tokenizer]!, chat, messages);
    expect({ ids: [...ids], mask: [...learnt] }).toEqual({ ids: expected.ids, mask: expected.mask });
  });
});
