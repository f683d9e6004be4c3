import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { fixtureTokenizer } from '../../../../tests/support/language-fixtures.ts';
import { newFolder } from '../../../../tests/support/new-folder.ts';
import { folderFiles } from '../../formats/node/folder-files.ts';
import { ChatTemplate, conversationIds, readChatTemplate, strftime } from './chat-template.ts';

const chat = (source: string) =>
  new ChatTemplate(source, { eos_token: '</s>' }, { where: 'x', now: () => new Date(2024, 6, 26, 15, 4) });
const MESSAGES = [
  { role: 'user', content: 'a' },
  { role: 'assistant', content: 'b' },
  { role: 'user', content: 'c' },
  { role: 'assistant', content: 'd' },
];

const TOOLS = [
  {
    type: 'function',
    function: {
      name: 'find',
      description: 'Finds – by <nr> & "name"',
      parameters: {
        type: 'object',
        properties: { number: { type: 'integer', minimum: 1.5, default: null } },
      },
    },
  },
];
const CALLED = [
  { role: 'user', content: 'Where?' },
  {
    role: 'assistant',
    content: null,
    tool_calls: [
      { type: 'function', function: { name: 'find', arguments: { number: 7, note: "schön '<so>'" } } },
    ],
  },
  { role: 'tool', name: 'find', content: '{"state": "sent"}' },
  { role: 'assistant', content: 'Sent.' },
];
const EXPECTED = `{"type": "function", "function": {"name": "find", "description": "Finds – by <nr> & \\"name\\"", "parameters": {"type": "object", "properties": {"number": {"type": "integer", "minimum": 1.5, "default": null}}}}}\n<user>Where?;<assistant><tool_call>{"name": "find", "arguments": {"number": 7, "note": "schön '<so>'"}}</tool_call>;<tool>{"state": "sent"};<assistant>Sent.;<assistant>`;

describe('a chat template', () => {
  it('gets the same variables as in transformers', () => {
    const source = [
      '{{ messages | length }} {{ eos_token }} {{ add_generation_prompt }}',
      '{{ tools is none }} {{ documents is none }} {{ bos_token is defined }}',
      '{{ strftime_now("%d %b %Y %A %p") }} {{ messages[0] | tojson }}',
      '{% for i in range(1, 6, 2) %}{{ i }}{% endfor %}',
    ].join('|');
    expect(chat(source).render(MESSAGES, true)).toBe(
      '4 </s> True|True True False|26 Jul 2024 Friday PM {"role": "user", "content": "a"}|135'.replaceAll(
        /True|False/g,
        (word) => word.toLowerCase(),
      ),
    );
  });

  it('gets tools and calls, and renders them like transformers', () => {
    const source =
      '{% if tools %}{% for t in tools %}{{ t | tojson }}\n{% endfor %}{% endif %}{% for m in messages %}<{{ m.role }}>{{ m.content or "" }}{% for c in m.tool_calls or [] %}<tool_call>{"name": "{{ c.function.name }}", "arguments": {{ c.function.arguments | tojson }}}</tool_call>{% endfor %};{% endfor %}{% if add_generation_prompt %}<assistant>{% endif %}';
    // Written by apply_chat_template(tools=...) of transformers 5.24.
    expect(chat(source).render(CALLED, true, TOOLS)).toBe(EXPECTED);
    const { tokenizer } = fixtureTokenizer('gpt2');
    const { ids, learnt } = conversationIds(tokenizer, chat(source), CALLED, TOOLS);
    const turns = tokenizer.decode(ids.filter((_, i) => learnt[i] === 1));
    expect(turns).toBe(
      '<tool_call>{"name": "find", "arguments": {"number": 7, "note": "schön \'<so>\'"}}</tool_call>;Sent.;',
    );
  });

  it('that rejects or fails gives the reason', () => {
    const render = (source: string) => () => chat(source).render(MESSAGES, false);
    expect(render('{{ raise_exception("Only one turn!") }}')).toThrow(
      'x refuses the conversation: "Only one turn!".',
    );
    expect(render('{{ messages[9].content.strip() }}')).toThrow('x refuses the conversation: ');
    expect(() => chat('{% if %}')).toThrow('x is not a valid chat template (Jinja): ');
  });

  it('that is hostile reaches its limits', () => {
    expect(() => chat('{% for i in range(10 ** 9) %}{% endfor %}').render(MESSAGES, false)).toThrow('x ');
    expect(() => chat('{% for i in range(1000000000) %}{% endfor %}').render(MESSAGES, false)).toThrow(
      'range() has 1000000000 numbers, more than the maximum of',
    );
    expect(() => chat('{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}').render(MESSAGES, false)).toThrow(
      'x refuses the conversation: ',
    );
    const doubling =
      '{% set ns = namespace(x="ab") %}{% for i in range(25) %}{% set ns.x = ns.x + ns.x %}{% endfor %}';
    expect(() => chat(doubling).render(MESSAGES, false)).toThrow(
      'x made 8388608 characters of text, more than the maximum of 4194304',
    );
    const lists = (made: string) => doubling.replace('"ab"', '[1]').replace('ns.x + ns.x', made);
    for (const made of ['ns.x + ns.x', '[ns.x, ns.x]'])
      expect(() => chat(lists(made)).render(MESSAGES, false)).toThrow(
        /^x made \d+ (values in a list|steps to a text), more than the maximum of 1048576/,
      );
    expect(() =>
      chat(doubling.replace('ns.x + ns.x', 'ns.x.replace("a", "aaaaaaaaaaaa")')).render([], false),
    ).toThrow('characters of text, more than the maximum of 4194304');
    expect(() => chat('x'.repeat(2 ** 20 + 1))).toThrow(
      'has 1048577 characters, more than the maximum of 1048576',
    );
  });
});

describe('the turns of a conversation', () => {
  const { tokenizer } = fixtureTokenizer('gpt2');
  const told = (source: string, messages = MESSAGES) => {
    const { ids, learnt } = conversationIds(tokenizer, chat(source), messages);
    return Array.from(ids, (id, i) => (learnt[i] === 1 ? tokenizer.decode([id]) : '')).join('');
  };

  it('are the text that the template adds for them', () => {
    const source =
      '{% for m in messages %}<{{ m.role }}>{{ m.content }};{% endfor %}{% if add_generation_prompt %}<assistant>{% endif %}';
    expect(told(source)).toBe('b;d;');
    expect(told('{% for m in messages %}[{{ m.content }}]{% endfor %}')).toBe('[b][d]');
  });

  it('are located without the thoughts that a template drops when others follow', () => {
    const source =
      '{% for m in messages %}<{{ m.role }}>{% if loop.last and m.role == "assistant" %}<think>\n</think>\n{% endif %}{{ m.content }};{% endfor %}{% if add_generation_prompt %}<assistant>{% endif %}';
    expect(told(source)).toBe('b;<think>\n</think>\nd;');
  });

  it('cannot be located if a template changes the past', () => {
    const source = '{{ messages | length }}{% for m in messages %}{{ m.content }}{% endfor %}';
    expect(() => told(source)).toThrow(
      'message 2 changes the text before it in this chat template, so turns cannot be told apart.',
    );
    expect(told(source.slice('{{ messages | length }}'.length))).toBe('bd');
  });
});

describe('loadChatTemplate', () => {
  const folder = newFolder();
  const config = (chat_template: unknown) =>
    writeFileSync(join(folder, 'tokenizer_config.json'), JSON.stringify({ chat_template }));
  const load = async () => (await readChatTemplate(folderFiles(folder))).parse({});

  it('finds it in tokenizer_config.json or beside it', async () => {
    await expect(load()).rejects.toThrow(
      'has no chat template (chat_template.jinja), which data of messages needs.',
    );
    config('one');
    expect((await load()).render([], false)).toBe('one');
    config([
      { name: 'tool_use', template: 'tools' },
      { name: 'default', template: 'two' },
    ]);
    expect((await load()).render([], false)).toBe('two');
    expect((await load()).render([], false, TOOLS)).toBe('tools');
    config(undefined);
    await expect(load()).rejects.toThrow('has no chat template');
    writeFileSync(join(folder, 'chat_template.jinja'), 'three');
    expect((await load()).render([], false)).toBe('three');
  });

  it('spells tools for a template that would drop them', async () => {
    const source = '\n{% for m in messages %}<{{ m.role }}>{{ m.content }};{% endfor %}';
    writeFileSync(join(folder, 'chat_template.jinja'), source);
    const template = await load();
    const call = (name: string, values: unknown) => ({ function: { name, arguments: values } });
    const messages = [
      { role: 'system', content: 'a' },
      { role: 'user', content: 'b' },
      { role: 'assistant', tool_calls: [call('f', { x: 1 }), call('g', '{"y":2}')] },
      { role: 'tool', content: '3' },
      { role: 'user', content: 'c' },
    ];
    // The same as transformers 5.24 renders.
    expect(template.render(messages, false, [{ name: 'f' }, { name: 'g' }])).toBe(
      '\n<system>a;<user>Functions:\n{"name": "f"}\n{"name": "g"}\n' +
        'To call one, write <tool_call>{"name": ..., "arguments": ...}</tool_call>\n\nb;' +
        '<assistant><tool_call>{"name": "f", "arguments": {"x": 1}}</tool_call>\n' +
        '<tool_call>{"name": "g", "arguments": {"y":2}}</tool_call>;' +
        '<user><tool_response>\n3\n</tool_response>;<user>c;',
    );
    expect(template.render(messages.slice(0, 2), false)).toBe('\n<system>a;<user>b;');
  });

  it('stops a rendering without end', async () => {
    // New lists take most of the steps, because a million rounds of a loop take seconds. The loops take the rest.
    const lists = '{% for a in range(10) %}{% set list = range(99999) %}{% endfor %}';
    const loops = '{% set all = range(999) %}{% for a in all %}{% for b in all %}{% endfor %}{% endfor %}';
    writeFileSync(join(folder, 'chat_template.jinja'), lists + loops);
    const slow = await load();
    expect(() => slow.render([], false)).toThrow('steps to a text, more than the maximum of 1048576');
  });
});

it("strftime equals Python's", () => {
  const date = new Date(2025, 0, 5, 0, 7, 9);
  expect(strftime(date, '%Y-%m-%d %H:%M:%S %I %p %a %A %b %B %y %% %Q')).toBe(
    '2025-01-05 00:07:09 12 AM Sun Sunday Jan January 25 % %Q',
  );
});
