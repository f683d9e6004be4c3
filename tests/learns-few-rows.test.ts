import { describe, expect, it } from 'vitest';
import { Random } from '../src/support/random.ts';
import { newWorkspace } from './support/commands.ts';
import { trainedOnCsv, writeCsv } from './support/few-rows.ts';
import { eventsOf } from './support/workspace.ts';

/*
 * Files of some ten to some hundred rows with the embedded encoder, with nothing set but the file. It is cross-validated
 * for minutes, so that `npm test` leaves it out.
 */

const workspace = newWorkspace({ ADALORA_THREADS: '2' });

const random = new Random(7, 'few rows');
const pick = <T>(from: readonly T[]): T => from[random.integer(from.length)]!;
const rowsOf = (count: number, row: (i: number) => readonly string[]) =>
  Array.from({ length: count }, (_, i) => row(i));

const write = (name: string, head: readonly string[], rows: readonly (readonly string[])[]) =>
  writeCsv(workspace, name, head, rows);
const trained = (name: string, ...flags: string[]) => trainedOnCsv(workspace, name, ...flags);

const OPENINGS = ['', 'Hello, ', 'Hi there. ', 'Please, ', 'Hey, ', 'Good morning. '];
const VERBS = ['open', 'close', 'rename', 'delete', 'print', 'copy', 'send', 'find'];
const THINGS = ['account', 'invoice', 'order', 'file', 'photo', 'ticket', 'contract', 'message'];
const intent = (i: number) => {
  const [verb, thing] = [VERBS[i % 8]!, THINGS[Math.floor(i / 8)]!];
  const ask = pick(['how do I', 'I want to', 'can you', 'I need to', 'is it possible to', 'I would like to']);
  return [
    `${pick(OPENINGS)}${ask} ${verb} ${pick(['my', 'an', 'the', 'this'])} ${thing}?`,
    `${verb}_${thing}`,
  ];
};

const GOOD = ['wonderful', 'delicious', 'excellent', 'lovely', 'very good', 'fantastic'];
const BAD = ['terrible', 'cold and tasteless', 'awful', 'disappointing', 'very bad', 'disgusting'];
const DISHES = ['soup', 'pizza', 'service', 'steak', 'dessert', 'wine', 'waiter', 'salad'];
const GUT = ['wunderbar', 'köstlich', 'ausgezeichnet', 'sehr gut', 'fantastisch', 'hervorragend'];
const SCHLECHT = ['schrecklich', 'kalt und fade', 'furchtbar', 'enttäuschend', 'sehr schlecht', 'ekelhaft'];
const GERICHTE = ['Suppe', 'Pizza', 'Bedienung', 'Pasta', 'Nachspeise', 'Karte'];
const english = (good: boolean) =>
  `The ${pick(DISHES)} was ${pick(good ? GOOD : BAD)}${pick(['', ', really', ' today', '. We had waited long'])}.`;
const german = (good: boolean) =>
  `Die ${pick(GERICHTE)} war ${pick(good ? GUT : SCHLECHT)}${pick(['', ', wirklich', ' wie immer'])}.`;
const label = (good: boolean) => (good ? 'good' : 'bad');

describe('a file of few rows', () => {
  it('of 64 intents is learned', async () => {
    write(
      'intents',
      ['text', 'intent'],
      rowsOf(256, (i) => intent(i % 64)),
    );
    write(
      'intents-test',
      ['text', 'intent'],
      rowsOf(128, (i) => intent(i % 64)),
    );
    const { tested, verdict } = await trained('intents');
    expect(verdict).toMatchObject({ learnt: true, folds: 3, rows: 256 });
    expect(tested.eval_accuracy).toBeGreaterThan(0.8);
  });

  it('with 95 rows of one class and 5 of the other does not end as a constant', async () => {
    const row = (i: number) => [english(i % 20 !== 0), label(i % 20 !== 0)];
    write('unbalanced', ['text', 'label'], rowsOf(100, row));
    write(
      'unbalanced-test',
      ['text', 'label'],
      rowsOf(100, (i) => [english(i % 2 === 0), label(i % 2 === 0)]),
    );
    const { tested, verdict } = await trained('unbalanced');
    expect(verdict!.kept).not.toBe('constant');
    // Both classes are as frequent here, so a constant has .5.
    expect(tested.eval_accuracy).toBeGreaterThan(0.6);
  });

  it('with a class of a single row trains, and knows the class', async () => {
    const row = (i: number) => [english(i % 2 === 0), label(i % 2 === 0)];
    const rows = [...rowsOf(40, row), ['Where is the toilet?', 'question']];
    write('single', ['text', 'label'], rows);
    write('single-test', ['text', 'label'], rowsOf(40, row));
    const { tested } = await trained('single');
    expect(tested.eval_accuracy).toBeGreaterThan(0.6);
    const { stdout } = await workspace.run('predict', 'run-single', 'single-test.csv');
    expect(Object.keys(JSON.parse(stdout.split('\n')[0]!).probabilities).sort()).toEqual([
      'bad',
      'good',
      'question',
    ]);
  });

  it('in German and English is learned', async () => {
    const row = (i: number) => [i % 4 < 2 ? german(i % 2 === 0) : english(i % 2 === 0), label(i % 2 === 0)];
    write('mixed', ['Text', 'Bewertung'], rowsOf(120, row));
    write('mixed-test', ['Text', 'Bewertung'], rowsOf(120, row));
    const { tested } = await trained('mixed');
    expect(tested.eval_accuracy).toBeGreaterThan(0.8);
  });

  it('of long texts is learned, and the truncation is reported', async () => {
    const row = (i: number) => [rowsOf(60, () => [english(i % 2 === 0)]).join(' '), label(i % 2 === 0)];
    write('long', ['text', 'label'], rowsOf(24, row));
    write('long-test', ['text', 'label'], rowsOf(12, row));
    const { tested } = await trained('long');
    expect(tested.eval_accuracy).toBeGreaterThan(0.8);
    expect(eventsOf(workspace.events('run-long'), 'start')[0]!.truncated).toBe(24);
  });

  it('with several labels in a row is learned', async () => {
    const row = (i: number) => {
      const [food, staff] = [i % 2 === 0, i % 4 < 2];
      const text = `${food ? `The ${pick(['soup', 'pizza', 'steak'])} was ${pick(GOOD)}. ` : ''}${staff ? `The ${pick(['waiter', 'waitress', 'staff'])} was ${pick(BAD)}.` : ''}`;
      return [
        text === '' ? 'We paid and left.' : text,
        [...(food ? ['food'] : []), ...(staff ? ['staff'] : [])].join(';'),
      ];
    };
    write('several', ['text', 'labels'], rowsOf(80, row));
    write('several-test', ['text', 'labels'], rowsOf(40, row));
    const { tested } = await trained('several', 'task=multi_label_classification');
    expect(tested.eval_f1).toBeGreaterThan(0.8);
  });

  it('with scores is learned', async () => {
    const words = [
      ...BAD.map((word) => [word, 1] as const),
      ...GOOD.map((word) => [word, 5] as const),
      ['fine', 3] as const,
    ];
    const row = () => {
      const [[a, x], [b, y]] = [pick(words), pick(words)];
      return [`The ${pick(DISHES)} was ${a} and the ${pick(DISHES)} was ${b}.`, `${(x + y) / 2}`];
    };
    write('scores', ['text', 'score'], rowsOf(100, row));
    write('scores-test', ['text', 'score'], rowsOf(60, row));
    const { tested } = await trained('scores', 'task=regression');
    expect(tested.eval_spearmanr).toBeGreaterThan(0.7);
  });

  it('is cross-validated also with the head of transformers', async () => {
    const row = (i: number) => [english(i % 2 === 0), label(i % 2 === 0)];
    write('head', ['text', 'label'], rowsOf(40, row));
    write('head-test', ['text', 'label'], rowsOf(40, row));
    const { tested, verdict } = await trained('head', 'data.pooling=none');
    expect(verdict).toMatchObject({ folds: 3, rows: 40 });
    expect(tested.eval_accuracy).toBeGreaterThan(0.6);
  });

  it('with shuffled labels ends with a verdict that promises nothing', async () => {
    const row = (i: number) => [english(i % 2 === 0), label(random.uniform() < 0.5)];
    write('shuffled', ['text', 'label'], rowsOf(100, row));
    write('shuffled-test', ['text', 'label'], rowsOf(50, row));
    const { verdict } = await trained('shuffled');
    expect(verdict!.interval![0]).toBeLessThan(0.5);
    expect(verdict!.interval![1]).toBeGreaterThan(0.45);
  });
});

it('a file with 15 rows of 3 classes is learned, and the verdict says that the rows are too few', async () => {
  const topics = [
    [
      'The match ended after penalties',
      'The team won the cup',
      'A striker scored twice',
      'The coach praised his goalkeeper',
      'The league begins in August',
    ],
    [
      'The recipe needs two eggs',
      'Bake the cake for an hour',
      'Add salt and pepper to the soup',
      'Fry the onions in butter',
      'Serve the pasta with cheese',
    ],
    [
      'The parliament passed a law',
      'The minister resigned',
      'Voters elect a president',
      'The senate debates taxes',
      'The party lost the election',
    ],
  ];
  const names = ['sport', 'cooking', 'politics'];
  write(
    'tiny',
    ['text', 'label'],
    topics.flatMap((texts, i) => texts.map((text) => [text, names[i]!])),
  );
  write(
    'tiny-test',
    ['text', 'label'],
    [
      ['The goalkeeper saved a penalty in the match', 'sport'],
      ['Cook the rice with butter and salt', 'cooking'],
      ['The president signed the new law', 'politics'],
    ],
  );
  const { tested, verdict, printed } = await trained('tiny');
  expect(tested.eval_accuracy).toBeGreaterThan(0.6);
  expect(verdict!.rows).toBe(15);
  expect(printed).toContain('too few rows to tell');
});
