import { describe, expect, it } from 'vitest';
import { placeAnswer, readQuestions } from './read-questions.ts';
import { Characters } from './span-features.ts';
import { isSquadV2 } from './squad-json.ts';

const CONTEXT = 'A 😀 cat sat on the mat.';
const ROW = { question: ' Who?', context: CONTEXT };
const json = (value: unknown, name = 'x.json') => readQuestions(JSON.stringify(value), name, 'places');
const squad = (qas: unknown[], context: unknown = CONTEXT) => ({
  version: 'v2.0',
  data: [{ title: 't', paragraphs: [{ context, qas }] }],
});

describe('readQuestions', () => {
  const answered = { ...ROW, id: 'a', answers: [{ text: 'cat', start: 4 }] };

  it("reads SQuAD's JSON, of both versions", () => {
    const answers = [{ text: 'cat', answer_start: 4 }];
    const none = { id: 'b', question: 'Why?', answers: [], is_impossible: true, plausible_answers: answers };
    expect(json(squad([{ id: 'a', question: ' Who?', answers }, none]))).toEqual([
      { ...answered, ofV2: true },
      { id: 'b', question: 'Why?', context: CONTEXT, answers: [], ofV2: true },
    ]);
    const { data } = squad([{ id: 'a', question: ' Who?', answers }]);
    expect(json({ version: '1.1', data })).toEqual([answered]);
  });

  it('reads ids that a double cannot represent', () => {
    const ids = ['1234567890123456789', '1234567890123456788'];
    const rows = ids.map((id) => JSON.stringify({ ...ROW, id, answers: [] }).replace(`"${id}"`, id));
    for (const [content, name] of [
      [`[${rows}]`, 'x.json'],
      [rows.join('\n'), 'x.jsonl'],
    ])
      expect(readQuestions(content!, name!, 'places').map(({ id }) => id)).toEqual(ids);
  });

  it('reads rows: JSON Lines, a list, under "data", a single one', () => {
    const row = { ...ROW, id: 'a', answers: { text: ['cat'], answer_start: [4] } };
    const none = { ...ROW, answers: { text: [], answer_start: [] } };
    const both = [answered, { ...ROW, id: '1', answers: [] }];
    expect(json([row, none])).toEqual(both);
    expect(json({ data: [row, none] })).toEqual(both);
    expect(json(row)).toEqual([answered]);
    const lines = `${JSON.stringify(row)}\r\n\n${JSON.stringify(none)}\n`;
    expect(readQuestions(lines, 'x.jsonl', 'places')).toEqual(both);
    expect(readQuestions(lines, 'x.json', 'places')).toEqual(both);
  });

  it('detects v2.0 by the file or a question, even if all have answers', () => {
    const asked = { ...ROW, answers: [{ text: 'cat', answer_start: 4 }] };
    const isV2 = (value: unknown) => isSquadV2(json(value));
    expect(isV2({ version: '1.1', data: [asked] })).toBe(false);
    expect(isV2({ version: 'v2.0', data: [asked] })).toBe(true);
    expect(isV2([asked, { ...asked, is_impossible: false }])).toBe(true);
    expect(isV2([asked, { ...ROW, answers: [] }])).toBe(true);
  });

  it('locates answers without a position', () => {
    const flat = [{ context: 'concat cat, cat', qas: [{ question: 'Who?', answer: 'cat' }] }];
    expect(json(flat)).toMatchObject([{ id: '0', answers: [{ text: 'cat', start: 7 }] }]);
  });

  it('needs no answers to predict, and no contexts to score', () => {
    expect(readQuestions(JSON.stringify(ROW), 'x.json', 'none')).toEqual([{ ...ROW, id: '0', answers: [] }]);
    const scored = { id: 'a', question: 'Who?', answers: [{ text: 'dog' }] };
    expect(readQuestions(JSON.stringify([scored]), 'x.json', 'texts')).toMatchObject([
      { answers: [{ text: 'dog' }] },
    ]);
  });

  it.each([
    [
      { ...ROW, id: 'a7', answers: { text: ['dog'], answer_start: [4] } },
      'x.json, question a7 has the answer "dog", which is not in its context.',
    ],
    [
      { ...ROW, answers: { text: ['cat'], answer_start: [5] } },
      'question 0 has another text than "cat" at its answer_start, 5. It stands at 4, counted in characters (code points) from 0.',
    ],
    [{ ...ROW, answers: { text: [''], answer_start: [5] } }, 'has an answer with an empty "text".'],
    [
      { ...ROW, answers: { text: ['cat'], answer_start: [], x: 1 }, context: 'dog' },
      ', which is not in its context',
    ],
    [{ ...ROW, answers: { text: ['cat'], answer_start: [1, 2] } }, 'has 2 "answer_start" for 1 "text".'],
    [
      { ...ROW, answers: { text: ['cat'], answer_start: [-4] } },
      'needs a whole number from 0 in "answer_start", got -4.',
    ],
    [{ ...ROW, answers: 'cat' }, 'needs "answers" with "text" and "answer_start"'],
    [ROW, 'question 0 has no "answers", only question, context.'],
    [{ context: CONTEXT }, 'must be a list, got nothing.'],
    [{ question: 'Who?' }, 'question 0 has no "context", only question.'],
    [squad([{ id: 'a', answers: [] }]), 'question a has no "question", only id, answers.'],
    [squad([{ id: 'a', question: '?', answers: [] }], ' \n'), 'question a has an empty "context".'],
    [
      squad([
        { id: 'a', question: '?', answers: [] },
        { id: 'a', question: '?', answers: [] },
      ]),
      'question a has the id of another question',
    ],
    [squad([{ id: {}, question: '?', answers: [] }]), 'needs a string in "id"'],
    [squad([7]), 'data[0].paragraphs[0].qas[0] must be a JSON object, got a number.'],
    [{ data: [{ paragraphs: 5 }] }, 'data[0].paragraphs must be a list'],
    [[], 'x.json has no questions.'],
    [5, 'has only a number. Pass a JSON file of SQuAD, or JSON Lines'],
  ])('reports the errors of %j', (value, message) => {
    expect(() => json(value)).toThrow(message);
  });

  it('reports the lines of JSON Lines, and several at once', () => {
    const bad = JSON.stringify({ ...ROW, answers: { text: ['dog'], answer_start: [4] } });
    expect(() => readQuestions(`${bad}\n${bad}\n`, 'x.jsonl', 'places')).toThrow(
      'x.jsonl:1 has the answer "dog", which is not in its context. The same in 2 rows: lines 1, 2.',
    );
    expect(() => readQuestions('{"question": ', 'x.jsonl', 'places')).toThrow(
      'x.jsonl:1 is not valid JSON: Unexpected end of JSON input.',
    );
    expect(() => readQuestions('', 'x.json', 'places')).toThrow('x.json is empty.');
    expect(() => readQuestions('{', 'x.json', 'places')).toThrow('not valid JSON');
  });
});

it('placeAnswer prefers whole words', () => {
  expect(placeAnswer('concat cat', 'cat')).toBe(7);
  expect(placeAnswer('concats cats', 'cat')).toBe(3);
  expect(placeAnswer('😀 😀 cat', '😀 cat')).toBe(2);
  expect(placeAnswer('dog', 'cat')).toBeUndefined();
});

it('Characters counts code points', () => {
  const text = new Characters('a😀b');
  expect([text.length, text.slice(1, 2), text.slice(2, 9), text.indexOf(3)]).toEqual([3, '😀', 'b', 2]);
});
