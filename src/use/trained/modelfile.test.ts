import { describe, expect, it } from 'vitest';
import { ChatTemplate } from '../../input/text/chat/chat-template.ts';
import { formatModelfile, ollamaTemplate, PLAIN_TEMPLATE } from './modelfile.ts';

const translated = (source: string) => {
  const chat = new ChatTemplate(source, {}, { where: 'template' });
  return ollamaTemplate((messages, open) => chat.render(messages, open));
};

const CHATML = `{% for message in messages %}<|im_start|>{{ message.role }}
{{ message.content }}<|im_end|>
{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant
{% endif %}`;

describe("a chat template in Ollama's language", () => {
  it('has the texts around each message', () => {
    expect(translated(CHATML)).toBe(`{{ range .Messages }}{{ if eq .Role "user" }}<|im_start|>user
{{ .Content }}<|im_end|>
{{ else if eq .Role "assistant" }}<|im_start|>assistant
{{ .Content }}<|im_end|>
{{ else if eq .Role "system" }}<|im_start|>system
{{ .Content }}<|im_end|>
{{ end }}{{ end }}<|im_start|>assistant
`);
  });

  it('has the text that replaces a missing system prompt', () => {
    const source = `{% if messages[0].role != 'system' %}<sys>You are kind.</sys>{% endif %}{% for m in messages %}\
<{{ m.role }}>{{ m.content }}</>{% endfor %}{% if add_generation_prompt %}<assistant>{% endif %}`;
    expect(translated(source)).toMatch(/^\{\{ if not \.System \}\}<sys>You are kind\.<\/sys>\{\{ end \}\}/);
  });

  it('has no system prompt if the template refuses it', () => {
    const source = `{% for m in messages %}{% if m.role == 'system' %}{{ raise_exception('no') }}{% endif %}\
<{{ m.role }}>{{ m.content }}</>{% endfor %}{% if add_generation_prompt %}<assistant>{% endif %}`;
    expect(translated(source)).not.toContain('system');
    expect(translated(source)).toContain('<user>{{ .Content }}</>');
  });

  it.each([
    // The system prompt is in the first message of the user.
    [
      'mistral',
      `{% if messages[0].role == 'system' %}{% set s = messages[0].content + '\n' %}{% set messages = messages[1:] %}\
{% else %}{% set s = '' %}{% endif %}{% for m in messages %}{% if m.role == 'user' %}[INST]{{ s if loop.first else '' }}\
{{ m.content }}[/INST]{% else %}{{ m.content }}</s>{% endif %}{% endfor %}`,
    ],
    ['upper case', '{% for m in messages %}{{ m.role }}:{{ m.content | upper }};{% endfor %}'],
    ['braces', "{% for m in messages %}{{ '{{' }}{{ m.role }}:{{ m.content }};{% endfor %}"],
    ['numbers', '{% for m in messages %}{{ loop.index }}{{ m.role }}:{{ m.content }};{% endfor %}'],
  ])('is undefined for more than fixed texts: %s', (_, source) => {
    expect(translated(source)).toBeUndefined();
  });
});

it('a Modelfile names the adapter, and the base in one line', () => {
  expect(formatModelfile('adapter.gguf', 'some/model\nFROM evil', PLAIN_TEMPLATE)).toBe(
    `# The base model is some/model FROM evil. FROM must name the same model: its GGUF file, made by llama.cpp's
# convert_hf_to_gguf.py, or its name in Ollama.
FROM ./base.gguf
ADAPTER ./adapter.gguf
TEMPLATE """{{ .Prompt }}"""
`,
  );
  expect(formatModelfile('a', 'b', undefined)).not.toContain('TEMPLATE """');
});
