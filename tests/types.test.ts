import { expect, expectTypeOf, it } from 'vitest';
import { type ClassAnswer, type open, train, UserError } from '../src/index.ts';
import { parseRunConfig } from '../src/training/train/index.ts';

/* Errors of programs that must not compile. `npm run typecheck` fails if one of them does. */

type Open = typeof open;

/** Never called. */
export async function mistakes(open: Open): Promise<void> {
  const model = await open('runs/a');
  // @ts-expect-error a number is no text
  model.predict([5]);
  // @ts-expect-error a wrong key
  model.predict([{ sentence: 'a text' }]);
  // @ts-expect-error a key too many
  model.predict([{ text: 'a text', textPair: 'another' }]);
  // @ts-expect-error no inputs
  await model.predict();
  // @ts-expect-error an unknown option
  model.predict(['a text'], { batch: 3 });
  // @ts-expect-error an answer of another task
  (await model.predict('a text')).entities;
  // @ts-expect-error an unknown option
  await open('runs/a', { modle: 'x' });
  // @ts-expect-error a task that does not exist
  await open('runs/a', { task: 'regresion' });
  // @ts-expect-error no config
  await train();
  // @ts-expect-error an unknown key
  await train({ data: { train: 'a.csv', text: 'text', label: 'label' }, output: 'runs/a', epochs: 3 });
  const rows = [{ text: 'a', label: 'b' }];
  // @ts-expect-error an unknown key of a section
  await train({ data: { train: rows, text: 'text', label: 'label' }, output: 'a', training: { lr: 1 } });
}

export async function right(open: Open): Promise<void> {
  await using model = await open('runs/a');
  expectTypeOf(await model.predict('a text')).toEqualTypeOf<ClassAnswer>();
  expectTypeOf(await model.predict(['a text', { text: 'a', text_pair: 'b' }])).toEqualTypeOf<ClassAnswer[]>();
  await using regression = await open('runs/b', { task: 'regression' });
  expectTypeOf((await regression.predict('a text')).label).toEqualTypeOf<number>();
  const config = { task: 'token_classification', output: 'runs/c' } as const;
  await using tagger = await open(config);
  const [tagged] = await tagger.predict([{ words: ['a', 'text'] }]);
  expectTypeOf(tagged!.tags).toEqualTypeOf<(string | null)[]>();
}

it('train without a config says what it needs', async () => {
  const call = train as unknown as () => Promise<void>;
  await expect(call()).rejects.toThrow(
    'train needs a config, such as { data: { train, text, label }, output }',
  );
});

it('errors of a program have a code and do not speak of flags', () => {
  const config = { data: {}, output: 'runs/a' };
  const error = (() => {
    try {
      return parseRunConfig(config, 'config');
    } catch (error) {
      return error;
    }
  })();
  expect(error).toBeInstanceOf(UserError);
  expect((error as UserError).code).toBe('invalid_config');
  expect((error as UserError).message).not.toContain('--set');
});
