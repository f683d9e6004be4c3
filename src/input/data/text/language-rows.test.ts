import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { newFolder } from '../../../../tests/support/new-folder.ts';
import { localData } from '../node/text-files.ts';
import { RowProblems } from '../rows.ts';
import type { LanguageColumns } from './language-keys.ts';
import { languageRows, type SampleBy, splitDocuments } from './language-rows.ts';

describe('splitDocuments', () => {
  const text = '\nFirst line\nsecond.\n\n \t\nThird,\n\n\nlast  \n';
  const split = (sampleBy: SampleBy, from = text) => [...splitDocuments(from, sampleBy)];

  it.each<[SampleBy, [number, string][]]>([
    ['document', [[1, text]]],
    [
      'paragraph',
      [
        [1, '\nFirst line\nsecond.'],
        [6, 'Third,'],
        [9, 'last  \n'],
      ],
    ],
    [
      'line',
      [
        [2, 'First line'],
        [3, 'second.'],
        [6, 'Third,'],
        [9, 'last  '],
      ],
    ],
  ])('by %s', (sampleBy, documents) => {
    expect(split(sampleBy).map((document) => [document.line, document.text])).toEqual(documents);
    expect(split(sampleBy, text.replaceAll('\n', '\r\n'))).toEqual(split(sampleBy));
    for (const { offset, text: part } of split(sampleBy)) expect(text.startsWith(part, offset)).toBe(true);
  });

  it('returns none for white space', () => expect(split('document', ' \n\t\n')).toEqual([]));
});

describe('languageRows', () => {
  const read = (
    content: string,
    columns: LanguageColumns = {},
    name = 'x.jsonl',
    by: SampleBy = 'document',
  ) => {
    const problems = new RowProblems(name);
    const rows = [...languageRows(content, name, columns, by, problems)];
    problems.throwIfAny();
    return rows.map(({ offset: _, ...row }) => row);
  };
  const MESSAGES = [{ role: 'user', content: 'a' }];

  it.each<[string, object, object, LanguageColumns]>([
    ['text', { id: 1, text: 'a', title: 'b' }, { text: 'a' }, {}],
    ['text by name', { body: 'a', text: 'b' }, { text: 'a' }, { text: 'body' }],
    ['completions', { prompt: 'a', completion: 'b', text: 'c' }, { prompt: 'a', completion: 'b' }, {}],
    [
      'completions by name',
      { prompt: 'a', answer: 'b' },
      { prompt: 'a', completion: 'b' },
      { completion: 'answer' },
    ],
    ['messages', { messages: MESSAGES, prompt: 'a' }, { messages: MESSAGES }, {}],
    ['tools', { messages: MESSAGES, tools: [{}] }, { messages: MESSAGES, tools: [{}] }, {}],
    [
      'tools as text',
      { messages: MESSAGES, tools: '[{"a": 1}]' },
      { messages: MESSAGES, tools: [{ a: 1 }] },
      {},
    ],
    ['no tools', { messages: MESSAGES, tools: [] }, { messages: MESSAGES }, {}],
    ['messages by name', { chat: MESSAGES }, { messages: MESSAGES }, { messages: 'chat' }],
  ])('reads %s', (_, object, row, columns) => {
    expect(read(`\n${JSON.stringify(object)}\n`, columns)).toEqual([{ ...row, line: 2 }]);
  });

  it('reads plain text, and texts of JSON as separate documents', () => {
    expect(read('{"a": 1}', {}, 'x.txt')).toEqual([{ text: '{"a": 1}', line: 1 }]);
    expect(read('one\n\ntwo', {}, 'notes', 'paragraph').map((row) => 'text' in row && row.text)).toEqual([
      'one',
      'two',
    ]);
    expect(read('{"text": "a\\nb"}\n{"text": ""}', {}, 'x.json', 'line')).toEqual([
      { text: 'a', line: 1 },
      { text: 'b', line: 1 },
    ]);
  });

  it.each<[string, string, LanguageColumns, string, string]>([
    [
      'a table',
      'a\tb',
      {},
      'x.tsv',
      'x.tsv is a table (.tsv). Pass plain text (.txt) or JSON Lines (.jsonl).',
    ],
    [
      'keys it does not know',
      '{"body": "a"}',
      {},
      'x.jsonl',
      'x.jsonl:1 has the keys body, but needs text, prompt and completion, or messages. If your keys have other names, set them in data.text, in data.prompt and data.completion, or in data.messages.',
    ],
    [
      'a misspelt key',
      '{"body": "a"}',
      { text: 'bdy' },
      'x.jsonl',
      `x.jsonl:1 has no column "bdy". Did you mean body? The row's keys: body.`,
    ],
    [
      'another type',
      '{"text": "a"}\n{"text": 1}',
      {},
      'x.jsonl',
      'x.jsonl:2 needs a string in "text", got a number.',
    ],
    [
      'no JSON',
      '{"text": "a"}\n{',
      {},
      'x.jsonl',
      "x.jsonl:2 is not valid JSON: Expected property name or '}' in JSON at position 1",
    ],
    [
      'no list of tools',
      '{"messages": [{"role": "user"}], "tools": "x"}',
      {},
      'x.jsonl',
      `x.jsonl:1 needs a list of functions' JSON schemas in "tools", got a string.`,
    ],
    ['no messages', '{"messages": []}', {}, 'x.jsonl', 'each with a role and a content, got an empty list.'],
    ['messages without role', '{"messages": [{"content": "a"}]}', {}, 'x.jsonl', 'got other entries.'],
    [
      'messages that are numbers',
      '{"messages": [{"role": "a", "content": 1}]}',
      {},
      'x.jsonl',
      'got other entries.',
    ],
  ])('rejects %s', (_, content, columns, name, message) => {
    expect(() => read(content, columns, name)).toThrow(message);
  });
});

describe('textFiles', () => {
  const folder = newFolder();

  it('are one file, or those of a folder by name', () => {
    expect(() => localData.textFiles(folder)).toThrow(' has no text files (.txt, .jsonl).');
    for (const name of ['b.txt', 'a.jsonl', 'c.png']) writeFileSync(join(folder, name), `\ufeff${name}`);
    mkdirSync(join(folder, 'deeper'));
    expect(localData.textFiles(folder).map((file) => file.read())).toEqual(['a.jsonl', 'b.txt']);
    expect(localData.textFiles(join(folder, 'c.png'))[0]).toMatchObject({ size: 8 });
    expect(() => localData.textFiles(join(folder, 'd.txt'))).toThrow('Did you mean');
  });
});
