import { expect, it } from 'vitest';
import { jsonLines, newWorkspace } from './support/commands.ts';
import { loadTokenizer } from './support/load-tokenizer.ts';

const workspace = newWorkspace();

/** An emoji is one code point and two JavaScript characters: offsets count code points. */
const TEXTS = ['the cat sat.', '', '😀 the dog'];

it('inspect --tokens writes ids, tokens and offsets of each line', async () => {
  const { code, stdout } = await workspace.runWith(`${TEXTS.join('\n')}\n`, 'inspect', 'model', '--tokens');
  expect(code).toBe(0);
  const lines = jsonLines(stdout);
  expect(lines).toHaveLength(TEXTS.length);
  const tokenizer = await loadTokenizer(workspace.path('model'), { typeVocabSize: 2 });
  lines.forEach(({ ids, tokens, offsets }, i) => {
    expect(ids).toEqual([...tokenizer.encode(TEXTS[i]!, undefined, 64).inputIds]);
    const characters = [...TEXTS[i]!];
    const stood = offsets.map(([start, end]: [number, number]) => characters.slice(start, end).join(''));
    // Special tokens have no text, and this tokenizer has no emoji.
    const expected = tokens.map((token: string) =>
      /^\[(CLS|SEP)\]$/.test(token) ? '' : token.replace('##', ''),
    );
    expect(stood).toEqual(expected.map((token: string) => (token === '[UNK]' ? '😀' : token)));
  });
});

it('inspect --tokens reads a file, and reports a missing one', async () => {
  workspace.write('texts.txt', 'the cat\r\nsat');
  const { stdout } = await workspace.run('inspect', 'model', 'texts.txt', '--tokens');
  expect(stdout.trimEnd().split('\n')).toHaveLength(2);
  expect(await workspace.run('inspect', 'modell', '--tokens')).toMatchObject({ code: 2 });
});
